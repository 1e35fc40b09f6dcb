"""A workflow file or action.yml as written: text in, typed model and every mistake out."""
