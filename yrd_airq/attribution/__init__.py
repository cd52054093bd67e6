"""Which source contributes how much to a receptor: source-receptor shares, responses, closing budgets."""
