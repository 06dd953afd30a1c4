//! Channels with names: those that draw something readable.

use super::{Layer, Net};

/// A channel that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The network.
    pub net: Net,
    /// What the channel draws, in one word.
    pub name: &'static str,
    /// The name of its layer.
    pub layer: &'static str,
    /// The channel, from 0.
    pub channel: usize,
    /// What it drew in one black pen: a small PNG. `models/README.md` says how it was made.
    pub picture: &'static [u8],
}

macro_rules! named {
    ($net:ident, $id:literal, $name:literal, $layer:literal, $channel:literal) => {
        Named {
            net: Net::$net,
            name: $name,
            layer: $layer,
            channel: $channel,
            picture: include_bytes!(concat!("../built-in/catalogue/", $id, "-", $name, ".png")),
        }
    };
}

/// All of them, from shallow to deep.
pub const CATALOGUE: [Named; 24] = [
    named!(Lite0, "lite0", "net", "b4", 9),
    named!(Lite0, "lite0", "grid", "b4", 23),
    named!(Lite0, "lite0", "plaid", "b4", 11),
    named!(Lite0, "lite0", "diamonds", "b4", 19),
    named!(Lite0, "lite0", "tall-cells", "b4", 18),
    named!(Lite0, "lite0", "bricks", "b5", 2),
    named!(Lite0, "lite0", "quilt", "b5", 12),
    named!(Lite0, "lite0", "fur", "b5", 27),
    named!(Lite0, "lite0", "bubbles", "b6", 24),
    named!(Lite0, "lite0", "roof-tiles", "b6", 41),
    named!(Lite0, "lite0", "fish-scales", "b6", 5),
    named!(Lite0, "lite0", "scallops", "b6", 27),
    named!(Lite0, "lite0", "grass", "b6", 58),
    named!(Lite0, "lite0", "arches", "b7", 15),
    named!(Lite0, "lite0", "triangles", "b7", 30),
    named!(Lite0, "lite0", "shells", "b8", 30),
    named!(Lite0, "lite0", "woven", "b9", 11),
    named!(Lite0, "lite0", "stars", "b9", 101),
    named!(Hed16, "hed16", "ladders", "conv3_3", 166),
    named!(Hed16, "hed16", "twigs", "conv3_3", 241),
    named!(Hed16, "hed16", "braids", "conv3_3", 244),
    named!(Hed16, "hed16", "rain", "conv4_2", 164),
    named!(Hed16, "hed16", "shards", "conv4_3", 355),
    named!(Hed16, "hed16", "bricks", "conv4_3", 478),
];

impl Named {
    /// Those of one network.
    pub fn of(net: Net) -> impl Iterator<Item = &'static Self> {
        CATALOGUE.iter().filter(move |named| named.net == net)
    }

    /// Its layer; every one of the catalogue exists.
    #[must_use]
    pub fn layer(&self) -> Option<Layer> {
        Layer::named(self.net, self.layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_a_picture_of_its_own() {
        for (index, named) in CATALOGUE.iter().enumerate() {
            let image = image::load_from_memory(named.picture).unwrap();
            assert!(image.width() >= 100 && image.height() >= 75, "{}", named.name);
            assert!(CATALOGUE[..index].iter().all(|other| other.picture != named.picture), "{}", named.name);
        }
    }
}
