//! The network whose neurons a drawing excites: EfficientNet-Lite0 with frozen weights, differentiable by its input.
//!
//! Comes in: pictures, as tensors. Goes out: the activations of [`Layer`]s, and through candle's `backward` the gradient
//! by the picture. Deliberately absent: gradients by weights, training, and what to do with an activation (objectives).
//!
//! Candle's own convolutions compute gradients by the weights as well, and split a depthwise convolution into
//! one-channel ones: 10 to 60 times slower. So everything from one asked layer to the next is a single operation on
//! candle's tape, with its own backward.

mod block;
mod neuron;
mod plane;
pub(crate) mod shape;
mod stem;

pub use neuron::{CATALOGUE, Layer, Net, Neuron, ParseNeuronError};

use crate::generator::weights;
use block::{Block, BlockTape};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Storage, Tensor};
use rayon::prelude::*;
use shape::{BLOCKS, STEM};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use stem::Stem;

/// The least height and width of a picture, pixels: the strides up to b9 shrink it 16 times.
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
    stem: Stem,
    blocks: Vec<Block>,
}

impl Network {
    /// EfficientNet-Lite0, from the stem to b9, with the embedded weights.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] if the embedded weights aren't those that this version was tested with.
    pub fn lite0() -> Result<Self, Error> {
        weights::verify(weights::EMBEDDED)?;
        Self::from_safetensors(weights::EMBEDDED)
    }

    /// EfficientNet-Lite0 with the weights of a safetensors file, as [`weights::import`] writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] if a tensor is missing or has another shape.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, Error> {
        let tensors = weights::tensors(bytes)?;
        let stem = Stem {
            weight: numbers(&tensors, "stem.weight", &[STEM, 3, 3, 3])?,
            bias: numbers(&tensors, "stem.bias", &[STEM])?,
        };
        let blocks = BLOCKS.iter().enumerate().map(|(index, shape)| {
            let (hidden, k) = (shape.hidden, shape.kernel);
            let matrix = |part: &str, rows, columns| -> Result<_, Error> {
                let weight = find(&tensors, &format!("b{index}.{part}.weight"), &[rows, columns])?;
                Ok((weight, numbers(&tensors, &format!("b{index}.{part}.bias"), &[rows])?))
            };
            let expand = if shape.expands() { Some(matrix("expand", hidden, shape.inputs)?) } else { None };
            let kernels = numbers(&tensors, &format!("b{index}.depthwise.weight"), &[hidden, k, k])?;
            let depthwise = (kernels, numbers(&tensors, &format!("b{index}.depthwise.bias"), &[hidden])?);
            Ok(Block { shape: *shape, expand, depthwise, project: matrix("project", shape.outputs, hidden)? })
        });
        let blocks = blocks.collect::<Result<_, Error>>()?;
        Ok(Self { body: Arc::new(Body { stem, blocks }) })
    }

    /// Channels of a layer.
    pub fn channels(&self, layer: Layer) -> usize {
        layer.channels()
    }

    /// The activations of `layers`, in the order asked, for pictures `xs` [count, 3, h, w] of sRGB in 0 to 1.
    ///
    /// Each is [count, channels, ⌈h/s⌉, ⌈w/s⌉] with the layer's stride s. The stem comes before its ReLU6; a block is
    /// its linear output, with the residual. Padding is TensorFlow's "same". Differentiable by `xs` through candle's
    /// `backward`; the bits don't depend on the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Picture`] for another shape or pictures smaller than [`LEAST_SIZE`].
    pub fn forward(&self, xs: &Tensor, layers: &[Layer]) -> Result<Vec<Tensor>, Error> {
        match xs.dims() {
            [count, 3, h, w] if *count > 0 && *h.min(w) >= LEAST_SIZE => {}
            shape => return Err(Error::Picture { shape: shape.to_vec() }),
        }
        let mut ordered = layers.to_vec();
        ordered.sort_unstable();
        ordered.dedup();
        let mut done = BTreeMap::new();
        let (mut current, mut stage) = (xs.contiguous()?, 0);
        for layer in ordered {
            let stages = stage..layer.stage() + 1;
            stage = stages.end;
            let recorded = current.track_op();
            let segment = Segment { body: self.body.clone(), stages, recorded, tapes: Mutex::default() };
            current = current.apply_op1(segment)?;
            done.insert(layer, current.clone());
        }
        Ok(layers.iter().filter_map(|layer| done.get(layer).cloned()).collect())
    }
}

/// The network from one asked layer to the next, as one operation on candle's tape.
struct Segment {
    body: Arc<Body>,
    /// Stage 0 is the stem, stage n + 1 is bn.
    stages: Range<usize>,
    /// Whether backward may come.
    recorded: bool,
    /// One a picture, from the forward pass.
    tapes: Mutex<Vec<Vec<StageTape>>>,
}

enum StageTape {
    Stem { input: [usize; 2] },
    Block(BlockTape),
}

impl Segment {
    /// Through the stages with one picture [channels, h·w].
    fn forward(
        &self,
        x: &[f32],
        mut size: [usize; 2],
    ) -> candle_core::Result<(Vec<f32>, [usize; 2], Vec<StageTape>)> {
        let mut tapes = Vec::new();
        let mut stages = self.stages.clone();
        let mut y = if stages.start == 0 {
            stages.next();
            tapes.push(StageTape::Stem { input: size });
            let (y, output) = self.body.stem.forward(x, size);
            size = output;
            y
        } else {
            x.to_vec()
        };
        for block in &self.body.blocks[stages.start - 1..stages.end - 1] {
            let (output, output_size, tape) = block.forward(y, size)?;
            (y, size) = (output, output_size);
            if self.recorded {
                tapes.push(StageTape::Block(tape));
            }
        }
        Ok((y, size, tapes))
    }

    /// Back through the stages with the gradient of one picture.
    fn backward(&self, gradient: &[f32], tapes: &[StageTape]) -> candle_core::Result<Vec<f32>> {
        let mut gradient = gradient.to_vec();
        for (stage, tape) in self.stages.clone().zip(tapes).rev() {
            gradient = match tape {
                StageTape::Stem { input } => self.body.stem.backward(&gradient, *input),
                StageTape::Block(tape) => self.body.blocks[stage - 1].backward(gradient, tape)?,
            };
        }
        Ok(gradient)
    }
}

impl CustomOp1 for Segment {
    fn name(&self) -> &'static str {
        "lite0-segment"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (count, channels, h, w) = layout.shape().dims4()?;
        let xs = contiguous(storage, layout)?;
        let pictures: Vec<_> = xs
            .par_chunks_exact(channels * h * w)
            .map(|x| self.forward(x, [h, w]))
            .collect::<candle_core::Result<_>>()?;
        let (mut ys, mut tapes, mut size) = (Vec::new(), Vec::new(), [h, w]);
        for (y, output, tape) in pictures {
            if count == 1 {
                ys = y;
            } else {
                ys.extend(y);
            }
            size = output;
            tapes.push(tape);
        }
        let shape = Shape::from((count, ys.len() / (count * size[0] * size[1]), size[0], size[1]));
        *self.tapes.lock().unwrap_or_else(PoisonError::into_inner) = tapes;
        Ok((CpuStorage::F32(ys), shape))
    }

    fn bwd(&self, arg: &Tensor, res: &Tensor, grad_res: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let tapes = self.tapes.lock().unwrap_or_else(PoisonError::into_inner);
        let picture = res.elem_count() / tapes.len().max(1);
        let gradients: Vec<_> = values(&grad_res.contiguous()?, |gradient| {
            let pictures = gradient.par_chunks_exact(picture).zip(&*tapes);
            pictures.map(|(gradient, tape)| self.backward(gradient, tape)).collect::<candle_core::Result<_>>()
        })??;
        Ok(Some(Tensor::from_vec(gradients.concat(), arg.shape(), arg.device())?))
    }
}

#[inline(always)]
fn relu6(value: f32) -> f32 {
    value.clamp(0.0, 6.0)
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

fn find(tensors: &HashMap<String, Tensor>, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
    let found = tensors.get(name).filter(|tensor| tensor.dims() == shape);
    let missing = || weights::Error::Missing { name: name.to_owned(), shape: shape.to_vec() };
    Ok(found.cloned().ok_or_else(missing)?)
}

fn numbers(tensors: &HashMap<String, Tensor>, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
    Ok(find(tensors, name, shape)?.flatten_all()?.to_vec1()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};
    use std::time::Instant;

    fn reference() -> HashMap<String, Tensor> {
        let bytes = include_bytes!("../../../tests/fixtures/lite0_reference.safetensors");
        candle_core::safetensors::load_buffer(bytes, &Device::Cpu).unwrap()
    }

    fn flat(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn relative(found: &Tensor, expected: &Tensor) -> f64 {
        assert_eq!(found.dims(), expected.dims());
        let (found, expected) = (flat(found), flat(expected));
        let square = |x: f32| f64::from(x).powi(2);
        let error: f64 = found.iter().zip(&expected).map(|(a, b)| square(a - b)).sum();
        (error / expected.iter().map(|x| square(*x)).sum::<f64>()).sqrt()
    }

    fn picture(h: usize, w: usize) -> Var {
        let values: Vec<f32> = (0..3 * h * w).map(|i| (i * 7919 % 1009) as f32 / 1009.0).collect();
        Var::from_vec(values, (1, 3, h, w), &Device::Cpu).unwrap()
    }

    /// The mean of b6:24 with its gradient by the picture.
    fn mean_and_gradient(network: &Network, xs: &Var, layers: &[Layer]) -> (f32, Tensor) {
        let ys = network.forward(xs, layers).unwrap();
        let mean = ys.last().unwrap().narrow(1, 24, 1).unwrap().mean_all().unwrap();
        let gradients = mean.backward().unwrap();
        (mean.to_scalar().unwrap(), gradients.get(xs).unwrap().clone())
    }

    #[test]
    fn every_layer_agrees_with_pytorch() {
        let (network, reference) = (Network::lite0().unwrap(), reference());
        let layers: Vec<_> = Layer::all().collect();
        let found = network.forward(&reference["input"], &layers).unwrap();
        for (layer, found) in layers.iter().zip(&found) {
            let error = relative(found, &reference[&layer.to_string()]);
            println!("{layer}: {error:.2e}");
            assert!(error < 1e-4, "{layer}: {error}");
            assert_eq!(found.dims()[1], network.channels(*layer));
            assert_eq!(found.dims()[2], 64_usize.div_ceil(layer.stride()));
        }
        let alone = network.forward(&reference["input"], &layers[7..8]).unwrap();
        assert_eq!(flat(&alone[0]), flat(&found[7]));
    }

    #[test]
    fn the_gradient_agrees_with_pytorch() {
        let (network, reference) = (Network::lite0().unwrap(), reference());
        let xs = Var::from_tensor(&reference["input"]).unwrap();
        let b6 = Layer::block(6).unwrap();
        for layers in [vec![b6], vec![Layer::STEM, Layer::block(2).unwrap(), b6]] {
            let (_, gradient) = mean_and_gradient(&network, &xs, &layers);
            let error = relative(&gradient, &reference["grad_b6_24_mean"]);
            println!("gradient: {error:.2e}");
            assert!(error < 1e-3, "{error}");
        }
    }

    #[test]
    fn the_gradient_of_odd_sizes_is_the_finite_difference() {
        let network = Network::lite0().unwrap();
        let (xs, b6) = (picture(45, 61), [Layer::block(6).unwrap()]);
        let (_, gradient) = mean_and_gradient(&network, &xs, &b6);
        // Along the gradient itself the difference is large against rounding.
        let norm = flat(&gradient).iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let step = 1e-2;
        let along = (&gradient * (step / norm)).unwrap();
        let value =
            |xs: Tensor| f64::from(mean_and_gradient(&network, &Var::from_tensor(&xs).unwrap(), &b6).0);
        let higher = value((xs.as_tensor() + &along).unwrap());
        let lower = value((xs.as_tensor() - &along).unwrap());
        let difference = (higher - lower) / (2.0 * step);
        assert!((difference / norm - 1.0).abs() < 2e-2, "{difference} against {norm}");
    }

    #[test]
    fn the_bits_are_the_same_for_any_number_of_threads() {
        let network = Network::lite0().unwrap();
        let b6 = [Layer::block(6).unwrap()];
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (mean, gradient) = mean_and_gradient(&network, &picture(96, 80), &b6);
                (mean.to_bits(), flat(&gradient).iter().map(|x| x.to_bits()).collect::<Vec<_>>())
            })
        };
        let one = run(1);
        assert!(one == run(2) && one == run(3));
    }

    #[test]
    fn pictures_of_another_shape_are_refused() {
        let network = Network::lite0().unwrap();
        let small = network.forward(picture(31, 64).as_tensor(), &[Layer::STEM]);
        assert!(small.unwrap_err().to_string().contains("[1, 3, 31, 64]"));
    }

    /// Run by `cargo test --release --lib -- --ignored --nocapture how_long`.
    #[test]
    #[ignore = "a measurement"]
    fn how_long_a_step_takes() {
        let network = Network::lite0().unwrap();
        let xs = picture(224, 224);
        for number in [6, 9] {
            let layers = [Layer::block(number).unwrap()];
            let mut both = Vec::new();
            let mut forward = Vec::new();
            for _ in 0..25 {
                let start = Instant::now();
                network.forward(&xs, &layers).unwrap();
                forward.push(start.elapsed().as_secs_f64() * 1e3);
                let start = Instant::now();
                let (mean, _) = mean_and_gradient(&network, &xs, &layers);
                both.push(start.elapsed().as_secs_f64() * 1e3);
                assert!(mean.is_finite());
            }
            both.sort_by(f64::total_cmp);
            forward.sort_by(f64::total_cmp);
            println!(
                "b{number}: forward {:.1} ms, forward + backward {:.1} ms (median; best {:.1})",
                forward[12], both[12], both[0]
            );
        }
    }
}
