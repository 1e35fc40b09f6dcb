"""One run as a machine: events, transition tables, fold, decide; and one job as another."""
