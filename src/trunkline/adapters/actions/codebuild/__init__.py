"""What a CodeBuild build does besides its commands: the steps that a buildspec is lowered to."""
