"""The files of forces, in and out: what a profile's fields mean in the contract, imports that go on, exports."""
