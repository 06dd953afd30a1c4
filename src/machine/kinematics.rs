//! Where a point of the page lies on the machine.

use kurbo::{Point, Rect};

use super::{Origin, Profile};

/// How a page lies on a machine: its corner at the machine's origin, edges parallel to the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    origin: Origin,
    page_height: f64,
}

impl Placement {
    /// A page of this height (mm) with its corner at the origin of `profile`'s bed.
    #[must_use]
    pub fn new(profile: &Profile, page_height: f64) -> Self {
        Self { origin: profile.bed.origin, page_height }
    }

    /// Page point (mm, y down) to machine point (mm, the machine's axes).
    #[must_use]
    pub fn to_machine(&self, page: Point) -> Point {
        match self.origin {
            Origin::BottomLeft => Point::new(page.x, self.page_height - page.y),
            Origin::TopLeft => page,
        }
    }

    /// Machine point (mm, the machine's axes) to page point (mm, y down).
    #[must_use]
    pub fn to_page(&self, machine: Point) -> Point {
        // Both maps are their own inverse.
        self.to_machine(machine)
    }

    /// The part of a page that the machine reaches, in page space; mm.
    #[must_use]
    pub fn reach(&self, profile: &Profile, page_width: f64) -> Rect {
        let bed = Rect::new(0.0, 0.0, profile.bed.width, profile.bed.height);
        let (a, b) = (self.to_page(bed.origin()), self.to_page(Point::new(bed.x1, bed.y1)));
        Rect::from_points(a, b).intersect(Rect::new(0.0, 0.0, page_width, self.page_height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(origin: Origin) -> Profile {
        let mut profile = Profile::built_in("grbl-servo").unwrap();
        profile.bed = crate::machine::Bed { width: 200.0, height: 100.0, origin };
        profile
    }

    #[test]
    fn the_page_corner_lies_at_the_machine_origin() {
        let up = Placement::new(&profile(Origin::BottomLeft), 297.0);
        assert_eq!(up.to_machine(Point::new(0.0, 297.0)), Point::ORIGIN);
        assert_eq!(up.to_machine(Point::new(10.0, 0.0)), Point::new(10.0, 297.0));
        let down = Placement::new(&profile(Origin::TopLeft), 297.0);
        assert_eq!(down.to_machine(Point::ORIGIN), Point::ORIGIN);
    }

    #[test]
    fn there_and_back_is_the_same_point() {
        for origin in [Origin::BottomLeft, Origin::TopLeft] {
            let placement = Placement::new(&profile(origin), 210.0);
            let point = Point::new(12.25, 34.5);
            assert_eq!(placement.to_page(placement.to_machine(point)), point);
        }
    }

    #[test]
    fn a_small_bed_reaches_the_corner_at_its_origin() {
        let bottom = profile(Origin::BottomLeft);
        assert_eq!(Placement::new(&bottom, 297.0).reach(&bottom, 210.0), Rect::new(0.0, 197.0, 200.0, 297.0));
        let top = profile(Origin::TopLeft);
        assert_eq!(Placement::new(&top, 297.0).reach(&top, 210.0), Rect::new(0.0, 0.0, 200.0, 100.0));
    }
}
