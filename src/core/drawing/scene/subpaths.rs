//! A path as the strokes that a pen makes of it.

use kurbo::{BezPath, PathEl, Point};

/// The subpaths of a path. A lone `M` is nothing; `M Z` is a dot.
pub(in crate::drawing) fn split(path: &BezPath) -> Vec<BezPath> {
    let mut subpaths: Vec<Vec<PathEl>> = Vec::new();
    let mut start = Point::ORIGIN;
    let mut is_open = false;
    for element in path.iter() {
        match element {
            PathEl::MoveTo(to) => {
                subpaths.push(vec![element]);
                (start, is_open) = (to, true);
            }
            _ => {
                if !is_open {
                    subpaths.push(vec![PathEl::MoveTo(start)]);
                }
                if let Some(subpath) = subpaths.last_mut() {
                    if element == PathEl::ClosePath && subpath.len() == 1 {
                        subpath.push(PathEl::LineTo(start));
                    } else {
                        subpath.push(element);
                    }
                }
                is_open = element != PathEl::ClosePath;
            }
        }
    }
    subpaths.into_iter().filter(|subpath| subpath.len() > 1).map(BezPath::from_vec).collect()
}

/// Whether a subpath has no length.
pub(in crate::drawing) fn is_dot(path: &BezPath) -> bool {
    let bounds = path.control_box();
    bounds.width() == 0.0 && bounds.height() == 0.0
}
