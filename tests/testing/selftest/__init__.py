"""The corpus of the self-test: proofs in exact arithmetic, and the tables."""
