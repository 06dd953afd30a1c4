//! How settings that are not ours to change are kept in a checkpoint.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Picture;
use super::network::Layer;
use traceur_core::drawing::Page;
use traceur_core::pens::Pen;
use traceur_core::pens::form::PenForm;

/// Written as text and read back, as a recipe has it.
pub(super) mod text {
    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A page.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Page", deny_unknown_fields)]
pub(super) struct PageForm {
    width: f64,
    height: f64,
}

/// A picture.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Picture", deny_unknown_fields)]
pub(super) struct PictureForm {
    width_px: usize,
    height_px: usize,
    rgb: Vec<[f32; 3]>,
}

/// Layers, each with its network.
pub(super) mod layers {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(layers: &[Layer], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(layers.iter().map(|layer| format!("{}:{layer}", layer.net())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Layer>, D::Error> {
        let unknown = |name: &str| serde::de::Error::custom(format!("no layer is called {name}"));
        let names = Vec::<String>::deserialize(from)?;
        names.iter().map(|name| Layer::of_net(name).ok_or_else(|| unknown(name))).collect()
    }
}

/// Pens.
pub(super) mod pens {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(pens: &[Pen], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(pens.iter().cloned().map(PenForm))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Pen>, D::Error> {
        Ok(Vec::<PenForm>::deserialize(from)?.into_iter().map(|pen| pen.0).collect())
    }
}
