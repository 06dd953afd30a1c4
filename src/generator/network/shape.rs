//! The shape of EfficientNet-Lite0 up to the cut, shared by the network and the import of its weights.
//!
//! Source: TensorFlow's `efficientnet_lite_builder.py` (Lite0 = width 1.0, depth 1.0, stem and head unscaled) and
//! `efficientnet_builder.py` (the table of blocks).

/// Channels of the stem, a 3x3 convolution of stride 2.
pub(crate) const STEM: usize = 32;

/// One inverted residual block ("MBConv"): expand (1x1, ReLU6), depthwise (k x k, ReLU6), project (1x1, linear), plus
/// the input where stride and channels allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockShape {
    /// Edge of the depthwise kernel.
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) inputs: usize,
    /// Channels between expand and project; equal to `inputs` where there is no expansion.
    pub(crate) hidden: usize,
    pub(crate) outputs: usize,
}

impl BlockShape {
    pub(crate) fn expands(self) -> bool {
        self.hidden != self.inputs
    }

    pub(crate) fn residual(self) -> bool {
        self.stride == 1 && self.inputs == self.outputs
    }
}

/// Blocks b0 to b9; the whole network has six more, whose channels draw nothing readable.
pub(crate) const BLOCKS: [BlockShape; 10] = [
    block(3, 1, 32, 32, 16),
    block(3, 2, 16, 96, 24),
    block(3, 1, 24, 144, 24),
    block(5, 2, 24, 144, 40),
    block(5, 1, 40, 240, 40),
    block(3, 2, 40, 240, 80),
    block(3, 1, 80, 480, 80),
    block(3, 1, 80, 480, 80),
    block(5, 1, 80, 480, 112),
    block(5, 1, 112, 672, 112),
];

const fn block(kernel: usize, stride: usize, inputs: usize, hidden: usize, outputs: usize) -> BlockShape {
    BlockShape { kernel, stride, inputs, hidden, outputs }
}
