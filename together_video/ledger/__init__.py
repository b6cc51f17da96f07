"""What was bought and what became of it: plans, claims, records, money, marks, and the keys of all objects.

Facts are written once and never changed; `records` draws their life. Sums, lists and summaries follow from them.
Also here: this machine's spool and the notes about creates that were never sent.
All of it is data and arithmetic: `blocks` reads and writes the bucket or folder, `tasks` has the order of steps.
"""
