//! The network whose neurons a drawing excites, with frozen weights, differentiable by its input.
//!
//! Comes in: pictures, as tensors. Goes out: the activations of [`Layer`]s, and through candle's `backward` the gradient
//! by the picture. Deliberately absent: gradients by weights, training, and what to do with an activation (objectives).
//!
//! Candle's own convolutions compute gradients by the weights as well, split a depthwise convolution into one-channel
//! ones, and go backward pixel by pixel: 10 to 60 times slower. So everything from one asked layer to the next is a
//! single operation on candle's tape, which runs a chain of our own operations (`graph.rs`) on maps whose channels are
//! innermost, so that vectors run over channels in all of them.

pub(crate) mod architecture;
mod catalogue;
mod conv;
mod depthwise;
mod gemm;
mod graph;
pub(crate) mod map;
mod neuron;
mod planes;
pub(crate) mod pointwise;
mod winograd;

pub use architecture::Net;
pub use catalogue::{CATALOGUE, Named};
pub use neuron::{Layer, Neuron, ParseNeuronError};

use crate::weights;
use architecture::{Architecture, ConvShape, OpShape};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Storage, Tensor};
use graph::{Op, Tape};
use map::{Pools, Size};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// The least height and width of a picture, pixels: the deepest layers shrink it 32 times.
pub const LEAST_SIZE: usize = 32;

/// What can go wrong with a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The weights can't be used.
    #[error(transparent)]
    Weights(#[from] weights::Error),
    /// A picture of the wrong shape.
    #[error(
        "a network looks at pictures of shape [count, 3, height, width], at least {LEAST_SIZE} pixels high and wide, not {shape:?}"
    )]
    Picture {
        /// The tensor's shape.
        shape: Vec<usize>,
    },
    /// A layer of another network was asked for.
    #[error("layer {layer} belongs to {}, and was asked of {net}", layer.net())]
    Layer {
        /// The layer.
        layer: Layer,
        /// The network that was asked.
        net: Net,
    },
    /// A computation that candle refused.
    #[error("the network's computation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

/// A network with frozen weights. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Network {
    body: Arc<Body>,
}

#[derive(Debug)]
struct Body {
    net: Net,
    ops: Vec<Op>,
    pools: Pools,
}

impl Network {
    /// A network with its weights: those in the program, or those that `models fetch` or `models import` put into
    /// the cache.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] if they aren't there, or aren't those that this version was tested with.
    pub fn load(net: Net) -> Result<Self, Error> {
        Self::from_safetensors(net, &weights::load(net)?)
    }

    /// EfficientNet-Lite0, from the stem to b9, with the embedded weights.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] if the embedded weights aren't those that this version was tested with.
    pub fn lite0() -> Result<Self, Error> {
        Self::load(Net::Lite0)
    }

    /// A network with the weights of a safetensors file, as [`weights::import`] writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] if a tensor is missing or has another shape.
    pub fn from_safetensors(net: Net, bytes: &[u8]) -> Result<Self, Error> {
        let tensors = weights::tensors(bytes)?;
        let ops = net.architecture().ops.iter().map(|op| build(op, &tensors)).collect::<Result<_, _>>()?;
        Ok(Self { body: Arc::new(Body { net, ops, pools: Pools::default() }) })
    }

    /// Which one it is.
    pub fn net(&self) -> Net {
        self.body.net
    }

    /// Channels of a layer.
    pub fn channels(&self, layer: Layer) -> usize {
        layer.channels()
    }

    /// The activations of `layers`, in the order asked, for pictures `xs` [count, 3, h, w] of sRGB in 0 to 1.
    ///
    /// Each is [count, channels, ~h/s, ~w/s] with the layer's stride s. Whether a layer is rectified is told at
    /// [`Layer`]. Differentiable by `xs` through candle's `backward`; the bits don't depend on the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Picture`] for another shape or pictures smaller than [`LEAST_SIZE`], [`Error::Layer`] for a layer of
    /// another network.
    pub fn forward(&self, xs: &Tensor, layers: &[Layer]) -> Result<Vec<Tensor>, Error> {
        match xs.dims() {
            [count, 3, h, w] if *count > 0 && *h.min(w) >= LEAST_SIZE => {}
            shape => return Err(Error::Picture { shape: shape.to_vec() }),
        }
        if let Some(layer) = layers.iter().find(|layer| layer.net() != self.body.net) {
            return Err(Error::Layer { layer: *layer, net: self.body.net });
        }
        let mut ordered = layers.to_vec();
        ordered.sort_unstable();
        ordered.dedup();
        let mut done = BTreeMap::new();
        let (mut current, mut start) = (xs.contiguous()?, 0);
        for layer in ordered {
            let ops = start..layer.shape().end;
            start = ops.end;
            let recorded = current.track_op();
            let segment = Segment { body: self.body.clone(), ops, recorded, tapes: Mutex::default() };
            current = current.apply_op1(segment)?;
            done.insert(layer, current.clone());
        }
        Ok(layers.iter().filter_map(|layer| done.get(layer).cloned()).collect())
    }
}

fn build(op: &OpShape, tensors: &HashMap<String, Tensor>) -> Result<Op, Error> {
    let chain = |ops: &[OpShape]| ops.iter().map(|op| build(op, tensors)).collect::<Result<Vec<_>, _>>();
    Ok(match op {
        OpShape::Rectify(rectifier) => Op::Rectify(*rectifier),
        OpShape::Maximum(window) => Op::Maximum(*window),
        OpShape::Mean => Op::Mean,
        OpShape::Sum(body, side) => Op::Sum(chain(body)?, chain(side)?),
        OpShape::Conv(conv) => build_conv(conv, tensors)?,
    })
}

fn build_conv(shape: &ConvShape, tensors: &HashMap<String, Tensor>) -> Result<Op, Error> {
    let weight = numbers(tensors, &format!("{}.weight", shape.name), &shape.weight())?;
    let bias = numbers(tensors, &format!("{}.bias", shape.name), &[shape.outputs])?;
    let winograd = (shape.window == winograd::WINDOW) && winograd::fits(shape.inputs, shape.outputs);
    Ok(match shape {
        _ if shape.depthwise() => Op::Depthwise(depthwise::Depthwise::new(shape.window, &weight, bias)),
        _ if winograd => Op::Winograd(winograd::Winograd::new(shape.inputs, weight, bias)),
        _ => Op::Conv(conv::Conv::new(shape.window, shape.inputs, &weight, &bias)),
    })
}

/// The network from one asked layer to the next, as one operation on candle's tape.
struct Segment {
    body: Arc<Body>,
    ops: Range<usize>,
    /// Whether backward may come.
    recorded: bool,
    /// One a picture, from the forward pass.
    tapes: Mutex<Vec<PictureTape>>,
}

struct PictureTape {
    input: Size,
    output: Size,
    ops: Vec<Tape>,
}

impl Segment {
    fn ops(&self) -> &[Op] {
        &self.body.ops[self.ops.clone()]
    }

    fn architecture(&self) -> &'static Architecture {
        self.body.net.architecture()
    }

    /// One picture [channels, h·w] to `y`.
    fn forward(&self, x: &[f32], input: Size, y: &mut Vec<f32>) -> PictureTape {
        let pools = &self.body.pools;
        let map = if self.ops.start == 0 {
            planes::read_picture(x, input, self.architecture().input, pools)
        } else {
            planes::read(x, input, pools)
        };
        let (output, ops) = graph::forward(self.ops(), &map, self.recorded, pools);
        *y = planes::write(&output);
        PictureTape { input, output: output.size, ops }
    }

    /// Back with the gradient of one picture.
    fn backward(&self, gradient: &[f32], tape: &PictureTape) -> Vec<f32> {
        let pools = &self.body.pools;
        let gradient = planes::read(gradient, tape.output, pools);
        let gradient = graph::backward(self.ops(), &tape.ops, &gradient, pools);
        debug_assert_eq!(gradient.size, tape.input);
        if self.ops.start == 0 {
            planes::write_picture(&gradient, self.architecture().input)
        } else {
            planes::write(&gradient)
        }
    }
}

/// Runs on a thread of the pool, so that the many parallel parts inside needn't each wait for one.
fn inside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

impl CustomOp1 for Segment {
    fn name(&self) -> &'static str {
        "network-segment"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (count, channels, h, w) = layout.shape().dims4()?;
        let xs = contiguous(storage, layout)?;
        let pictures: Vec<_> = inside(|| {
            let pictures = xs.par_chunks_exact(channels * h * w).map(|x| {
                let mut y = Vec::new();
                let tape = self.forward(x, [h, w], &mut y);
                (y, tape)
            });
            pictures.collect()
        });
        let (mut ys, mut tapes, mut size) = (Vec::new(), Vec::new(), [h, w]);
        for (y, tape) in pictures {
            if count == 1 {
                ys = y;
            } else {
                ys.extend(y);
            }
            size = tape.output;
            tapes.push(tape);
        }
        let shape = Shape::from((count, ys.len() / (count * size[0] * size[1]), size[0], size[1]));
        *self.tapes.lock().unwrap_or_else(PoisonError::into_inner) = tapes;
        Ok((CpuStorage::F32(ys), shape))
    }

    fn bwd(&self, arg: &Tensor, res: &Tensor, grad_res: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let tapes = self.tapes.lock().unwrap_or_else(PoisonError::into_inner);
        let picture = res.elem_count() / tapes.len().max(1);
        let gradients: Vec<Vec<f32>> = values(&grad_res.contiguous()?, |gradient| {
            inside(|| {
                let pictures = gradient.par_chunks_exact(picture).zip(&*tapes);
                pictures.map(|(gradient, tape)| self.backward(gradient, tape)).collect()
            })
        })?;
        let all =
            if gradients.len() == 1 { gradients.into_iter().flatten().collect() } else { gradients.concat() };
        Ok(Some(Tensor::from_vec(all, arg.shape(), arg.device())?))
    }
}

/// Calls `read` with the numbers of a contiguous f32 tensor.
fn values<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> candle_core::Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(contiguous(storage, layout)?)),
        _ => candle_core::bail!("the network computes on the CPU only"),
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("the network computes on contiguous tensors only"),
    }
}

fn numbers(tensors: &HashMap<String, Tensor>, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
    let found = tensors.get(name).filter(|tensor| tensor.dims() == shape);
    let missing = || weights::Error::Missing { name: name.to_owned(), shape: shape.to_vec() };
    Ok(found.ok_or_else(missing)?.flatten_all()?.to_vec1()?)
}

#[cfg(test)]
mod tests;
