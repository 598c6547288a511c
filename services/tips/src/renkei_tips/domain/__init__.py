"""The rules of tips: no input, output, clock or chance."""
