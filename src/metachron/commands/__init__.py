"""What each command of `metachron` does, once its options are parsed and checked."""
