"""How V4-nano is made: documents that nobody wrote, a tokenizer, a differentiable V4, training and evaluation."""
