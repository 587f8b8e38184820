"""Clinical notes: drafting, signing, review, amendment, verification."""
