//! Names of layers and neurons: `lite0:b6:24`, or from the catalogue `lite0:bubbles`.

use super::architecture::{CLASSES, LayerShape, Net, WHOLE};
use super::catalogue::Named;
use std::fmt;
use std::str::FromStr;

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A layer of a network. Within one network they are ordered from shallow to deep.
///
/// Lite0: the stem before its ReLU6, b0 to b9 linear, with the residual. VGG: `conv4_3` is rectified, as its channels
/// are measured, and `conv4_3-linear` is not. ResNet: `stem`, `layer3` and blocks such as `layer3.0`, rectified.
/// MobileNetV2: f0 and f18 rectified, f1 to f17 linear. The whole Lites: b0 to the last block linear, `head` rectified.
/// `classes` has the logits of ImageNet's 1,000 classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer {
    net: Net,
    index: usize,
}

impl Layer {
    /// The layer of this name, if the network has it.
    pub fn named(net: Net, name: &str) -> Option<Self> {
        let alias = |layer: &LayerShape| layer.alias.as_deref() == Some(name);
        let mut layers = net.architecture().layers.iter();
        let index = layers.position(|layer| layer.name == name || alias(layer))?;
        Some(Self { net, index })
    }

    /// The layer of a text such as `lite0:b2`, if there is one.
    pub fn of_net(text: &str) -> Option<Self> {
        let (net, name) = text.split_once(':')?;
        Self::named(net.parse().ok()?, name)
    }

    /// The logits of a classifier; `None` for a network without classes.
    pub fn classes(net: Net) -> Option<Self> {
        Self::named(net, CLASSES)
    }

    /// All layers of a network, from shallow to deep.
    pub fn all(net: Net) -> impl Iterator<Item = Self> {
        (0..net.architecture().layers.len()).map(move |index| Self { net, index })
    }

    /// The network.
    pub fn net(self) -> Net {
        self.net
    }

    /// Channels of the layer.
    pub fn channels(self) -> usize {
        self.shape().channels
    }

    /// Picture pixels to one of the layer's, either way; `usize::MAX` where it is one for the whole picture.
    pub fn stride(self) -> usize {
        self.shape().stride
    }

    /// Whether the layer has one pixel for the whole picture.
    pub fn sees_all(self) -> bool {
        self.stride() == WHOLE
    }

    pub(super) fn shape(self) -> &'static LayerShape {
        &self.net.architecture().layers[self.index]
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shape().name)
    }
}

/// One channel of one layer. Read from `lite0:b6:24` or a name of the catalogue (`lite0:bubbles`); written the
/// first way. The channel always exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Neuron {
    layer: Layer,
    channel: usize,
}

impl Neuron {
    /// The network.
    pub fn net(self) -> Net {
        self.layer.net
    }

    /// The layer.
    pub fn layer(self) -> Layer {
        self.layer
    }

    /// The channel, from 0.
    pub fn channel(self) -> usize {
        self.channel
    }

    /// What the catalogue has of it.
    pub fn named(self) -> Option<&'static Named> {
        Named::of(self.net()).find(|named| named.channel == self.channel && named.layer() == Some(self.layer))
    }
}

impl fmt::Display for Neuron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.net(), self.layer, self.channel)
    }
}

/// Why a text names no neuron.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseNeuronError {
    /// Neither `net:layer:channel` nor `net:name`.
    #[error(
        "`{text}` is not a neuron: write net:layer:channel such as lite0:b6:24, or net:name such as lite0:bubbles"
    )]
    Form {
        /// What was given.
        text: String,
    },
    /// An unknown network.
    #[error("`{text}`: there is no network `{net}` (did you mean `{nearest}`?); networks: {}", known_nets())]
    Net {
        /// What was given.
        text: String,
        /// Its network.
        net: String,
        /// The known network that is nearest to it.
        nearest: Net,
    },
    /// A layer or catalogue name that the network doesn't have.
    #[error(
        "`{text}`: {net} has no `{name}` (did you mean `{nearest}`?); layers with their channels: {}{}",
        known_layers(*net),
        known_names(*net)
    )]
    Name {
        /// What was given.
        text: String,
        /// The network.
        net: Net,
        /// The part that isn't known.
        name: String,
        /// The known layer or name that is nearest to it.
        nearest: String,
    },
    /// A channel that the layer doesn't have.
    #[error("`{text}`: layer {layer} of {} has channels 0 to {}, not `{channel}`", layer.net(), layer.channels() - 1)]
    Channel {
        /// What was given.
        text: String,
        /// The layer.
        layer: Layer,
        /// The part that is no channel of it.
        channel: String,
    },
}

impl FromStr for Net {
    type Err = ParseNeuronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || {
            let nearest = Self::ALL.into_iter().max_by_key(|net| likeness(net.id(), text));
            let nearest = nearest.unwrap_or(Self::Lite0);
            ParseNeuronError::Net { text: text.into(), net: text.into(), nearest }
        };
        Self::ALL.into_iter().find(|net| net.id() == text).ok_or_else(unknown)
    }
}

impl FromStr for Neuron {
    type Err = ParseNeuronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split(':');
        let (Some(net), Some(name), channel, None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseNeuronError::Form { text: text.into() });
        };
        let net = net.parse().map_err(|error| match error {
            ParseNeuronError::Net { net, nearest, .. } => {
                ParseNeuronError::Net { text: text.into(), net, nearest }
            }
            error => error,
        })?;
        match (Layer::named(net, name), channel) {
            (Some(layer), Some(channel)) => {
                let number = channel.parse().ok().filter(|number| *number < layer.channels());
                let unknown =
                    || ParseNeuronError::Channel { text: text.into(), layer, channel: channel.into() };
                Ok(Self { layer, channel: number.ok_or_else(unknown)? })
            }
            (Some(_), None) => Err(ParseNeuronError::Form { text: text.into() }),
            (None, _) => {
                let named = Named::of(net).find(|named| channel.is_none() && named.name == name);
                let neuron = |named: &Named| Some(Self { layer: named.layer()?, channel: named.channel });
                named.and_then(neuron).ok_or_else(|| unknown_name(text, net, name, channel.is_some()))
            }
        }
    }
}

/// Before a channel only a layer is meant.
fn unknown_name(text: &str, net: Net, name: &str, layer_meant: bool) -> ParseNeuronError {
    let layers = Layer::all(net).map(|layer| layer.to_string());
    let names = names(net).filter(|_| !layer_meant).map(str::to_owned);
    let nearest = layers.chain(names).max_by_key(|known| likeness(known, name)).unwrap_or_default();
    ParseNeuronError::Name { text: text.into(), net, name: name.into(), nearest }
}

fn likeness(known: &str, name: &str) -> u64 {
    (strsim::jaro_winkler(known, name) * 1e6) as u64
}

fn names(net: Net) -> impl Iterator<Item = &'static str> {
    Named::of(net).map(|named| named.name)
}

fn known_nets() -> String {
    Net::ALL.map(Net::id).join(", ")
}

fn known_layers(net: Net) -> String {
    Layer::all(net).map(|layer| format!("{layer} {}", layer.channels())).collect::<Vec<_>>().join(", ")
}

fn known_names(net: Net) -> String {
    let names: Vec<_> = names(net).collect();
    if names.is_empty() { String::new() } else { format!("; names: {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::CATALOGUE;

    #[test]
    fn neurons_are_read_as_they_are_written() {
        for text in [
            "lite0:b6:24",
            "lite0:stem:31",
            "lite0:b9:111",
            "hed16:conv4_3:355",
            "vgg16:conv5_3:511",
            "vgg19:conv5_4-linear:0",
            "resnet18:layer3:7",
            "resnet50:layer1.0:255",
            "mobilenet_v2:f6:17",
        ] {
            assert_eq!(text.parse::<Neuron>().unwrap().to_string(), text);
        }
        assert_eq!("lite0:bubbles".parse::<Neuron>().unwrap().to_string(), "lite0:b6:24");
        assert_eq!("vgg16:relu4_3:325".parse::<Neuron>().unwrap().to_string(), "vgg16:conv4_3:325");
        assert_eq!("resnet18:layer3.1:7".parse::<Neuron>().unwrap().to_string(), "resnet18:layer3:7");
    }

    #[test]
    fn every_name_of_the_catalogue_is_a_neuron() {
        for Named { net, name, layer, channel, .. } in CATALOGUE {
            let neuron: Neuron = format!("{net}:{name}").parse().unwrap();
            assert_eq!(neuron.to_string(), format!("{net}:{layer}:{channel}"));
        }
    }

    #[test]
    fn an_error_names_what_is_known() {
        let error = |text: &str| text.parse::<Neuron>().unwrap_err().to_string();
        assert!(error("lite0:bubles").contains("did you mean `bubbles`?"));
        assert!(error("lite0:b10:3").contains("stem 32") && error("lite0:b10:3").contains("b6 80"));
        assert!(error("lite0:b6:80").contains("channels 0 to 79"));
        assert!(error("vgg:b6:80").contains("networks: lite0, hed16"));
        assert!(error("hed16:conv5_1:3").contains("conv4_3 512"));
        assert!(error("b6").contains("lite0:b6:24"));
    }
}
