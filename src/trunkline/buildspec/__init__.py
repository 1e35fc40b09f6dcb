"""AWS CodeBuild's buildspec: a file as written -> a typed model and every mistake."""
