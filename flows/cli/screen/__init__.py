"""What commands write to the terminal, to a pipe, or as JSON.

Here are live displays and progress lines, tables, findings, errors, and the copies that `--output` writes. Text from
other people is escaped, and nothing fails because a stream cannot encode a character.
Not here: the state of a run that is displayed (`flows/reporting`), and what a command prints as its own table.
"""
