"""The rules that check one request for one model, by subject: prompt, size, output and media.

A rule is a function that yields findings with a field, a source and, if possible, a value that would pass.
`catalogue.checks` has the list of all rules and decides what an error is. Bounds that hold for every model are in
`requests`.
"""
