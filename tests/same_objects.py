"""Which of the given pairs of JSON files do not hold the same objects: same_objects.py A B A B ...

A file holds [[number, line, object], ...] (what the reader of YAML streams gives) or a List; Lists are taken apart.
The order of objects and of keys does not count, that of lists does. Prints a line for each pair that differs."""
import json
import sys


def objects_of(value):
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List") and "items" in value:
        return [one for item in value["items"] for one in objects_of(item)]
    return [value]


def read(path):
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
    documents = [entry[2] for entry in whole] if isinstance(whole, list) else [whole]
    found = [one for document in documents for one in objects_of(document)]
    return sorted(json.dumps(one, sort_keys=True) for one in found)


def main(paths):
    for one, other in zip(paths[::2], paths[1::2]):
        if read(one) != read(other):
            print(one)


main(sys.argv[1:])
