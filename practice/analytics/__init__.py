"""The read side of the warehouse: published metric values, and their age."""
