"""Money: prices, holds, entries, budgets, outcomes and reports. Knows nothing of HTTP."""
