//! The engine against PyTorch, by fixtures.

use super::*;
use candle_core::{Device, Var};

fn load(bytes: &[u8]) -> HashMap<String, Tensor> {
    candle_core::safetensors::load_buffer(bytes, &Device::Cpu).unwrap()
}

fn reference() -> HashMap<String, Tensor> {
    load(include_bytes!("../tests/fixtures/lite0_reference.safetensors"))
}

fn lite0(name: &str) -> Layer {
    Layer::named(Net::Lite0, name).unwrap()
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
    let layers: Vec<_> = Layer::all(Net::Lite0).collect();
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
    let b6 = lite0("b6");
    for layers in [vec![b6], vec![lite0("stem"), lite0("b2"), b6]] {
        let (_, gradient) = mean_and_gradient(&network, &xs, &layers);
        let error = relative(&gradient, &reference["grad_b6_24_mean"]);
        println!("gradient: {error:.2e}");
        assert!(error < 1e-4, "{error}");
    }
}

#[cfg(feature = "hed16")]
#[test]
fn hed16_agrees_with_pytorch() {
    let network = Network::load(Net::Hed16).unwrap();
    let reference = load(include_bytes!("../tests/fixtures/hed16_reference.safetensors"));
    let xs = Var::from_tensor(&reference["input"]).unwrap();
    let layer = |name: &str| Layer::named(Net::Hed16, name).unwrap();
    let first = |found: &Tensor, expected: &Tensor| {
        found.squeeze(0).unwrap().narrow(0, 0, expected.dims()[0]).unwrap()
    };
    for name in ["conv1_2", "conv2_2", "conv3_3", "conv4_2", "conv4_3"] {
        let layers = [layer(&format!("{name}-linear")), layer(name)];
        let found = network.forward(&xs, &layers).unwrap();
        let expected = &reference[name];
        let error = relative(&first(&found[0], expected), expected);
        println!("{name}: {error:.2e}");
        assert!(error < 1e-4, "{name}: {error}");
        assert!(relative(&first(&found[1], expected), &expected.relu().unwrap()) < 1e-4);
    }
    let found = network.forward(&xs, &[layer("conv4_3-linear")]).unwrap();
    let expected = &reference["f32.conv4_3"];
    // What the rounding of the weights costs.
    assert!(relative(&first(&found[0], expected), expected) < 5e-4);
    for (name, gradient) in [("conv4_3-linear", "gradient"), ("conv4_3", "gradient_rectified")] {
        let found = gradient_of_mean(&network, &xs, layer(name), 355).squeeze(0).unwrap();
        let error = relative(&found, &reference[gradient]);
        println!("{gradient}: {error:.2e}");
        assert!(error < 1e-4, "{gradient}: {error}");
    }
}

fn gradient_of_mean(network: &Network, xs: &Var, layer: Layer, channel: usize) -> Tensor {
    let ys = network.forward(xs, &[layer]).unwrap();
    let mean = ys[0].narrow(1, channel, 1).unwrap().mean_all().unwrap();
    mean.backward().unwrap().get(xs).unwrap().clone()
}

/// Numbers in −1 to 1 that a name and an index settle; the fixture's were made the same way.
fn uniform(name: &str, count: usize) -> Vec<f64> {
    let seed =
        name.bytes().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    let number = |index: usize| {
        let mut hash = (index as u32).wrapping_mul(2_654_435_761).wrapping_add(seed);
        hash ^= hash >> 15;
        hash = hash.wrapping_mul(2_246_822_519);
        hash ^= hash >> 13;
        f64::from(hash) / 2_f64.powi(32) * 2.0 - 1.0
    };
    (0..count).map(number).collect()
}

/// A network as it would be published, with invented weights: through the import, the folding and the names.
fn invented(net: Net) -> Network {
    let mut tensors = HashMap::new();
    let mut put = |name: String, shape: &[usize]| {
        let fan_in: usize = shape[1..].iter().product();
        let scale = |number: f64| match name.rsplit('.').next().unwrap() {
            "weight" if shape.len() > 1 => number * (6.0 / fan_in as f64).sqrt(),
            "weight" | "running_var" => 1.0 + 0.25 * number,
            _ => 0.1 * number,
        };
        let values: Vec<f32> =
            uniform(&name, shape.iter().product()).into_iter().map(|number| scale(number) as f32).collect();
        tensors.insert(name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    };
    for conv in net.architecture().convs() {
        let (source, norm) = &conv.source;
        put(format!("{source}.weight"), &conv.source_weight());
        match norm {
            None => put(format!("{source}.bias"), &[conv.outputs]),
            Some(norm) => {
                for part in ["weight", "bias", "running_mean", "running_var"] {
                    put(format!("{norm}.{part}"), &[conv.outputs]);
                }
            }
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    candle_core::safetensors::save(&tensors, file.path()).unwrap();
    let published = std::fs::read(file.path()).unwrap();
    // A whole Lite0 has all that lite0 is made of, so that one comes first.
    let first = if net == Net::Lite0Whole { Net::Lite0 } else { net };
    assert_eq!(weights::import("invented", &published).unwrap().0, first);
    let bytes = weights::import_exactly(net, &published).unwrap();
    Network::from_safetensors(net, &bytes).unwrap()
}

/// Every layer that the fixture has, and the gradient.
///
/// The pictures are those of many whose rectifiers in the deep layers all stand clear of their kink: where a sum is zero
/// up to rounding, PyTorch's gradient and ours may rightly differ.
fn check_torchvision(net: Net, deep: &str, picture: usize) {
    let reference = load(include_bytes!("../tests/fixtures/torchvision_reference.safetensors"));
    let network = invented(net);
    let xs = numbered(picture, 50, 44);
    let mut checked = 0;
    for layer in Layer::all(net) {
        let Some(expected) = reference.get(&format!("{net}.{layer}")) else { continue };
        let found = network.forward(&xs, &[layer]).unwrap();
        let found = found[0].squeeze(0).unwrap().narrow(0, 0, 6).unwrap();
        let error = relative(&found, expected);
        println!("{net}:{layer}: {error:.2e}");
        assert!(error < 1e-4, "{net}:{layer}: {error}");
        checked += 1;
    }
    assert!(checked >= 3);
    let gradient = gradient_of_mean(&network, &xs, Layer::named(net, deep).unwrap(), 5);
    let error = relative(&gradient.squeeze(0).unwrap(), &reference[&format!("{net}.gradient")]);
    println!("{net} gradient: {error:.2e}");
    assert!(error < 1e-4, "{net}: {error}");
}

#[test]
fn vgg16_agrees_with_torchvision() {
    check_torchvision(Net::Vgg16, "conv5_3", 5);
}

#[test]
fn vgg19_agrees_with_torchvision() {
    check_torchvision(Net::Vgg19, "conv5_4", 11);
}

#[test]
fn resnet18_agrees_with_torchvision() {
    check_torchvision(Net::Resnet18, "layer4", 21);
}

#[test]
fn resnet50_agrees_with_torchvision() {
    check_torchvision(Net::Resnet50, "layer4", 5);
}

#[test]
fn mobilenet_v2_agrees_with_torchvision() {
    check_torchvision(Net::MobilenetV2, "f10", 10);
}

/// Pictures [1, 3, h, w] whose numbers a formula gives; the fixture's references were computed of the same.
fn numbered(picture: usize, h: usize, w: usize) -> Var {
    let numbers = uniform(&format!("picture {picture}"), 3 * h * w);
    let values: Vec<f32> = numbers.into_iter().map(|number| (number * 0.5 + 0.5) as f32).collect();
    Var::from_vec(values, (1, 3, h, w), &Device::Cpu).unwrap()
}

/// Logits, some layers, and the gradient of a class's log-softmax, against JAX in f64 with the same weights (f16 ones of
/// the classifiers in the program, invented ones of the others).
fn check_classes(network: &Network, picture: usize, size: [usize; 2], class: usize) {
    let reference = load(include_bytes!("../tests/fixtures/classes_reference.safetensors"));
    let (net, xs) = (network.net(), numbered(picture, size[0], size[1]));
    let mut checked = 0;
    for layer in Layer::all(net) {
        let Some(expected) = reference.get(&format!("{net}.{layer}")) else { continue };
        let found = network.forward(&xs, &[layer]).unwrap()[0].squeeze(0).unwrap();
        let found = if layer.sees_all() { found.flatten_all() } else { found.narrow(0, 0, 6) };
        let error = relative(&found.unwrap(), expected);
        println!("{net}:{layer}: {error:.2e}");
        assert!(error < 1e-4, "{net}:{layer}: {error}");
        checked += 1;
    }
    assert!(checked >= 3);
    let logits = network.forward(&xs, &[Layer::classes(net).unwrap()]).unwrap()[0].flatten_from(1).unwrap();
    let value =
        candle_nn::ops::log_softmax(&logits, 1).unwrap().narrow(1, class, 1).unwrap().sum_all().unwrap();
    let gradient = value.backward().unwrap().get(&xs).unwrap().squeeze(0).unwrap();
    let error = relative(&gradient, &reference[&format!("{net}.gradient")]);
    println!("{net} gradient: {error:.2e}");
    assert!(error < 1e-3, "{net}: {error}");
    if let Some(exact) = reference.get(&format!("{net}.exact")) {
        let error = relative(&logits.squeeze(0).unwrap(), exact);
        println!("{net} rounding: {error:.2e}");
        assert!(error < ROUNDED, "{net}: {error}");
    }
}

/// What f16 weights may change of the logits.
const ROUNDED: f64 = 2e-2;

#[cfg(feature = "things")]
#[test]
fn the_whole_lite0_agrees_with_jax() {
    check_classes(&Network::load(Net::Lite0Whole).unwrap(), 0, [96, 80], 953);
}

#[cfg(feature = "things")]
#[test]
fn the_whole_mobilenet_v2_agrees_with_jax() {
    check_classes(&Network::load(Net::MobilenetV2).unwrap(), 0, [96, 80], 953);
}

#[test]
fn lite1_agrees_with_jax() {
    check_classes(&invented(Net::Lite1), 0, [50, 44], 5);
}

#[test]
fn lite2_agrees_with_jax() {
    check_classes(&invented(Net::Lite2), 0, [50, 44], 5);
}

#[test]
fn the_gradient_of_odd_sizes_is_the_finite_difference() {
    let network = Network::lite0().unwrap();
    let (xs, b6) = (picture(45, 61), [lite0("b6")]);
    let (_, gradient) = mean_and_gradient(&network, &xs, &b6);
    // Along the gradient itself the difference is large against rounding.
    let norm = flat(&gradient).iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let step = 1e-2;
    let along = (&gradient * (step / norm)).unwrap();
    let value = |xs: Tensor| f64::from(mean_and_gradient(&network, &Var::from_tensor(&xs).unwrap(), &b6).0);
    let higher = value((xs.as_tensor() + &along).unwrap());
    let lower = value((xs.as_tensor() - &along).unwrap());
    let difference = (higher - lower) / (2.0 * step);
    assert!((difference / norm - 1.0).abs() < 2e-2, "{difference} against {norm}");
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    let network = Network::lite0().unwrap();
    let b6 = [lite0("b6")];
    let run = |network: &Network, layers: &[Layer], threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mean, gradient) = mean_and_gradient(network, &picture(96, 80), layers);
            (mean.to_bits(), flat(&gradient).iter().map(|x| x.to_bits()).collect::<Vec<_>>())
        })
    };
    let one = run(&network, &b6, 1);
    assert!(one == run(&network, &b6, 2) && one == run(&network, &b6, 3));
    let network = invented(Net::Resnet18);
    let layer = [Layer::named(Net::Resnet18, "layer2").unwrap()];
    let one = run(&network, &layer, 1);
    assert!(one == run(&network, &layer, 2) && one == run(&network, &layer, 3));
}

#[test]
fn a_step_takes_no_memory_that_the_one_before_did_not() {
    let network = Network::lite0().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let step = || {
        pool.install(|| mean_and_gradient(&network, &picture(64, 64), &[lite0("b6")]));
        (network.body.pools.numbers.waiting(), network.body.pools.marks.waiting())
    };
    step();
    let second = step();
    assert!(second.0 > 0);
    for _ in 0..10 {
        assert_eq!(step(), second);
    }
}

#[test]
fn pictures_of_another_shape_are_refused() {
    let network = Network::lite0().unwrap();
    let small = network.forward(picture(31, 64).as_tensor(), &[lite0("stem")]);
    assert!(small.unwrap_err().to_string().contains("[1, 3, 31, 64]"));
}
