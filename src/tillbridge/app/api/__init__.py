"""What other programs and operators may ask over HTTP below `/v1`.

Begin with `table.py`: one row per route drives the dispatch, the OpenAPI document and docs/api.md.
"""
