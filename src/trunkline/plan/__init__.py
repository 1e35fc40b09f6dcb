"""What will run, as data: triggers, filters, matrix, graph, permissions, compile."""
