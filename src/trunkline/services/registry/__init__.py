"""The registry's use cases: one module per noun, one function per verb."""
