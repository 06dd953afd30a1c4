//! A chain of frozen operations on maps, forward and backward.

use super::conv::Conv;
use super::depthwise::Depthwise;
use super::map::{Buffer, Map, Pools, Size, Window};
use super::pointwise::{Rectifier, add, maximum, maximum_backward, mean, mean_backward, pass};
use super::winograd::Winograd;

/// One operation.
#[derive(Debug)]
pub(super) enum Op {
    Conv(Conv),
    Winograd(Winograd),
    Depthwise(Depthwise),
    Rectify(Rectifier),
    Maximum(Window),
    /// Over all pixels.
    Mean,
    /// What a chain gives, plus what another gives of the same input; an empty one gives the input itself.
    Sum(Vec<Self>, Vec<Self>),
}

/// What backward needs of one operation's forward pass.
#[derive(Debug)]
pub(super) enum Tape {
    /// The input's size.
    Linear(Size),
    Rectify(Buffer<u8>),
    Maximum(Size, Buffer<u8>),
    Sum(Vec<Self>, Vec<Self>),
}

/// Through a chain; the tapes are empty unless `recorded`.
pub(super) fn forward(ops: &[Op], x: &Map, recorded: bool, pools: &Pools) -> (Map, Vec<Tape>) {
    let (mut last, mut tapes) = (None, Vec::with_capacity(ops.len()));
    for op in ops {
        let input = last.as_ref().unwrap_or(x);
        let (output, tape) = match op {
            Op::Conv(conv) => (conv.forward(input, pools), Tape::Linear(input.size)),
            Op::Winograd(conv) => (conv.forward(input, pools), Tape::Linear(input.size)),
            Op::Depthwise(conv) => (conv.forward(input, pools), Tape::Linear(input.size)),
            Op::Maximum(window) => {
                let (output, marks) = maximum(*window, input, pools);
                (output, Tape::Maximum(input.size, marks))
            }
            Op::Mean => (mean(input, pools), Tape::Linear(input.size)),
            Op::Rectify(rectifier) => {
                let mut map = last.take().unwrap_or_else(|| x.copy(pools));
                let marks = rectifier.forward(&mut map, pools);
                (map, Tape::Rectify(marks))
            }
            Op::Sum(body, side) => {
                let (mut sum, body) = forward(body, input, recorded, pools);
                if side.is_empty() {
                    add(&mut sum, input);
                    (sum, Tape::Sum(body, Vec::new()))
                } else {
                    let (terms, side) = forward(side, input, recorded, pools);
                    add(&mut sum, &terms);
                    (sum, Tape::Sum(body, side))
                }
            }
        };
        last = Some(output);
        if recorded {
            tapes.push(tape);
        }
    }
    (last.unwrap_or_else(|| x.copy(pools)), tapes)
}

/// Back through a chain with the gradient of what it gave.
pub(super) fn backward(ops: &[Op], tapes: &[Tape], gradient: &Map, pools: &Pools) -> Map {
    let mut last = None;
    for (op, tape) in ops.iter().zip(tapes).rev() {
        let given = last.as_ref().unwrap_or(gradient);
        let output = match (op, tape) {
            (Op::Conv(conv), Tape::Linear(size)) => conv.backward(given, *size, pools),
            (Op::Winograd(conv), _) => conv.backward(given, pools),
            (Op::Depthwise(conv), Tape::Linear(size)) => conv.backward(given, *size, pools),
            (Op::Maximum(window), Tape::Maximum(size, marks)) => {
                maximum_backward(*window, given, marks, *size, pools)
            }
            (Op::Mean, Tape::Linear(size)) => mean_backward(given, *size, pools),
            (Op::Sum(body, side), Tape::Sum(body_tapes, side_tapes)) => {
                let mut sum = backward(body, body_tapes, given, pools);
                if side.is_empty() {
                    add(&mut sum, given);
                } else {
                    add(&mut sum, &backward(side, side_tapes, given, pools));
                }
                sum
            }
            (_, Tape::Rectify(marks)) => {
                let mut map = last.take().unwrap_or_else(|| gradient.copy(pools));
                pass(&mut map, marks);
                map
            }
            _ => unreachable!("forward wrote the tape of its own operation"),
        };
        last = Some(output);
    }
    last.unwrap_or_else(|| gradient.copy(pools))
}
