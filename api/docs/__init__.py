"""The API's documentation for people: one page, made of the OpenAPI document, without scripts or others' servers."""
