//! Page space in kurbo's vocabulary: mm, y down, origin at the page's top left corner.
//!
//! Comes in: curves as [`kurbo::BezPath`]. Goes out: polylines, flattened, clipped, hatched. Deliberately absent:
//! pens, machines, files.

mod area;
mod clip;
mod fill;
mod fit;
mod hatch;
mod polyline;
mod region;
mod simplify;

pub use area::Area;
pub use clip::{clip, inside};
pub use fill::{FillStyle, Pattern, fill};
pub use fit::{ArcOptions, Piece, arc_center, fit_arcs};
pub use hatch::{FillRule, hatch};
pub use kurbo::{Affine, BezPath, Point, Rect, Vec2};
pub use polyline::{Polyline, flatten};
pub use region::Region;
pub use simplify::simplify;
