"""Where the lines that jobs print are kept."""
