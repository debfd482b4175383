"""Whether an OpenAPI document is valid, and whether each example in it keeps to the schema beside it.

Called by `run` with the file. Prints what is wrong, and exits with 1 if anything is.
"""

import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator


def contents(part, path=()):
    """Every body that has a schema, and every schema, wherever they stand: the place, the schema and its examples."""
    if isinstance(part, list):
        for place, item in enumerate(part):
            yield from contents(item, (*path, place))
    elif isinstance(part, dict):
        if isinstance(part.get("schema"), dict):
            examples = [part["example"]] if "example" in part else []
            named = part.get("examples", {})
            examples += [example["value"] for example in named.values()]
            yield path, part["schema"], examples
        if isinstance(part.get("examples"), list):
            yield path, part, part["examples"]
        for name, item in part.items():
            if name not in ("example", "examples"):
                yield from contents(item, (*path, name))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    wrong = [f"{list(error.absolute_path)}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
    count = 0
    for path, schema, examples in contents(document):
        # References lead into the document, which is why the schema is put into it.
        validator = Draft202012Validator({**schema, "components": document["components"]})
        for example in examples:
            count += 1
            wrong += [f"the example at {'/'.join(map(str, path))}: {error.message}" for error in validator.iter_errors(example)]
    print(f"the document is looked through, and {count} examples in it: {len(wrong)} wrong")
    for line in wrong:
        print(line[:500], file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
