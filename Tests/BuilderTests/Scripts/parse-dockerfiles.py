#!/usr/bin/env python3
"""Writes beside each Dockerfile of a folder how BuildKit's own parser reads it, as FILE.parsed.json.

Usage: parse-dockerfiles.py FOLDER
Needs the package `dockerfile` of PyPI, which wraps BuildKit's parser.
"""
import json
import os
import sys

import dockerfile


def parsed(path):
    """The instructions of a file, or the words in which the parser refuses it."""
    try:
        commands = dockerfile.parse_file(path)
    except (dockerfile.GoParseError, UnicodeDecodeError) as error:
        return {"error": str(error)}
    return {
        "instructions": [
            {
                "keyword": command.cmd.upper(),
                "nested": (command.sub_cmd or "").upper(),
                "flags": list(command.flags),
                "values": list(command.value),
                "json": command.json,
                "line": command.start_line,
                "heredocs": [[heredoc.name, heredoc.content] for heredoc in command.heredocs],
            }
            for command in commands
        ]
    }


def main():
    folder = sys.argv[1]
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith(".parsed.json") or not os.path.isfile(path):
            continue
        with open(path + ".parsed.json", "w", encoding="utf-8") as output:
            json.dump(parsed(path), output)


main()
