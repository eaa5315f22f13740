"""Customer lifetime value: frames and numbers in, frames and numbers out."""
