"""A team's rules: who may send what, where, to which model, at what cost. Facts in, decision out."""
