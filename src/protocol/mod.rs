//! Plotter languages without input or output: encoding, reply parsing, flow control.
