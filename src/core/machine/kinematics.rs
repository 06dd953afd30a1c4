//! Where a point of the page lies on the machine.

use kurbo::{Affine, Point, Rect};

use super::{Error, Firmware, Origin, Paper, Profile};

/// How a page lies on a machine.
///
/// On a bed, its corner is at the machine's origin and its edges are parallel to the axes. On the sheet of an HP-GL
/// plotter it lies in the middle, as a page of the sheet's own size fills it. A page that fits only when it is turned,
/// and one that stands upright while the sheet lies on its side, lies with its top at the left, unless
/// [`Bed::turns_pages`](super::Bed::turns_pages) forbids it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    to_machine: Affine,
    to_page: Affine,
    /// What the machine reaches; mm in its own axes.
    reach: Rect,
    page_height: f64,
    turned: bool,
    ps: Option<u32>,
}

/// A page may be this much larger than a bed on which it is said to fit; mm.
const HAIR: f64 = 0.1;

impl Placement {
    /// A page of this height (mm) with its corner at the origin of `profile`'s bed.
    #[must_use]
    pub fn new(profile: &Profile, page_height: f64) -> Self {
        let to_machine = match profile.bed.origin {
            Origin::BottomLeft => Affine::new([1.0, 0.0, 0.0, -1.0, 0.0, page_height]),
            Origin::TopLeft => Affine::IDENTITY,
        };
        let reach = Rect::new(0.0, 0.0, profile.bed.width, profile.bed.height);
        // Both maps are their own inverse.
        Self { to_machine, to_page: to_machine, reach, page_height, turned: false, ps: None }
    }

    /// A page of this size (mm) with its top at the left of `profile`'s bed, its left at the near edge.
    fn turned(profile: &Profile, width: f64, height: f64) -> Self {
        let to_machine = match profile.bed.origin {
            Origin::BottomLeft => Affine::new([0.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
            Origin::TopLeft => Affine::new([0.0, -1.0, 1.0, 0.0, 0.0, width]),
        };
        let upright = Self::new(profile, height);
        Self { to_machine, to_page: to_machine.inverse(), turned: true, ..upright }
    }

    /// A page of this size (mm) where this machine wants it: at the origin of its bed, or on the sheet that suits it.
    ///
    /// # Errors
    /// When an HP-GL plotter takes no sheet that is large enough: with those that it takes.
    pub fn of_page(profile: &Profile, width: f64, height: f64) -> Result<Self, Error> {
        let bed = &profile.bed;
        let Firmware::Hpgl(hpgl) = &profile.firmware else {
            let fits = |width, height| width <= bed.width + HAIR && height <= bed.height + HAIR;
            let turns = bed.turns_pages && !fits(width, height) && fits(height, width);
            return Ok(if turns { Self::turned(profile, width, height) } else { Self::new(profile, height) });
        };
        let Some((paper, turned)) = hpgl.paper_for(width, height, bed.turns_pages) else {
            let name =
                |paper: &Paper| format!("{} ({:.0} x {:.0} mm)", paper.name, paper.width, paper.height);
            return Err(Error::PageTooLarge {
                width,
                height,
                machine: profile.id.clone(),
                papers: hpgl.papers.iter().map(name).collect::<Vec<_>>().join(", "),
            });
        };
        let to_machine = on_sheet(paper, width, height, turned);
        let (to_page, reach) = (to_machine.inverse(), paper.reach(hpgl.unit));
        Ok(Self { to_machine, to_page, reach, page_height: height, turned, ps: paper.ps })
    }

    /// Whether the page is turned by a quarter, its top at the machine's left.
    #[must_use]
    pub fn is_turned(&self) -> bool {
        self.turned
    }

    /// The word of HP-GL's `PS` that tells the plotter of the sheet, where it wants one.
    #[must_use]
    pub fn ps(&self) -> Option<u32> {
        self.ps
    }

    /// Page point (mm, y down) to machine point (mm, the machine's axes).
    #[must_use]
    pub fn to_machine(&self, page: Point) -> Point {
        self.to_machine * page
    }

    /// Machine point (mm, the machine's axes) to page point (mm, y down).
    #[must_use]
    pub fn to_page(&self, machine: Point) -> Point {
        self.to_page * machine
    }

    /// The part of a page of this width (mm) that the machine reaches, in page space; mm.
    #[must_use]
    pub fn reach(&self, page_width: f64) -> Rect {
        let corners = [self.reach.origin(), Point::new(self.reach.x1, self.reach.y1)];
        let [a, b] = corners.map(|corner| self.to_page(corner));
        Rect::from_points(a, b).intersect(Rect::new(0.0, 0.0, page_width, self.page_height))
    }
}

/// Page space to the plotter's axes, for a page in the middle of a sheet.
fn on_sheet(paper: &Paper, width: f64, height: f64, turned: bool) -> Affine {
    let (mut map, mut size) = (Affine::IDENTITY, (width, height));
    if turned {
        // The page's top is at the left, its left at the bottom.
        map = Affine::new([0.0, -1.0, 1.0, 0.0, 0.0, width]);
        size = (height, width);
    }
    if paper.upside_down {
        map = Affine::new([-1.0, 0.0, 0.0, -1.0, size.0, size.1]) * map;
    }
    let (left, top) = ((paper.width - size.0) / 2.0, (paper.height - size.1) / 2.0);
    let [right, up] = paper.origin;
    Affine::new([1.0, 0.0, 0.0, -1.0, left - right, paper.height - top - up]) * map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(origin: Origin) -> Profile {
        let mut profile = Profile::built_in("grbl-servo").unwrap();
        profile.bed = crate::machine::Bed { width: 200.0, height: 100.0, origin, turns_pages: true };
        profile
    }

    fn near(a: Point, b: (f64, f64)) -> bool {
        a.distance(Point::from(b)) < 1e-9
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
        for (id, _) in crate::machine::BUILT_IN {
            for size in [(297.0, 210.0), (210.0, 297.0), (100.0, 80.0)] {
                let placement = Placement::of_page(&Profile::built_in(id).unwrap(), size.0, size.1).unwrap();
                let point = placement.to_page(placement.to_machine(Point::new(12.25, 34.5)));
                assert!(near(point, (12.25, 34.5)), "{id} {size:?}");
            }
        }
    }

    #[test]
    fn a_small_bed_reaches_the_corner_at_its_origin() {
        let bottom = profile(Origin::BottomLeft);
        assert_eq!(Placement::new(&bottom, 297.0).reach(210.0), Rect::new(0.0, 197.0, 200.0, 297.0));
        let top = profile(Origin::TopLeft);
        assert_eq!(Placement::new(&top, 297.0).reach(210.0), Rect::new(0.0, 0.0, 200.0, 100.0));
    }

    #[test]
    fn a_page_that_fits_only_turned_lies_with_its_top_at_the_left() {
        for origin in [Origin::BottomLeft, Origin::TopLeft] {
            let mut profile = profile(origin);
            let place = |profile: &Profile| Placement::of_page(profile, 90.0, 180.0).unwrap();
            let turned = place(&profile);
            assert!(turned.is_turned());
            assert_eq!(turned.reach(90.0), Rect::new(0.0, 0.0, 90.0, 180.0), "all of the page");
            let corners = [(0.0, 0.0), (90.0, 0.0), (0.0, 180.0)].map(|at| turned.to_machine(at.into()));
            let expected = match origin {
                Origin::BottomLeft => [(0.0, 0.0), (0.0, 90.0), (180.0, 0.0)],
                Origin::TopLeft => [(0.0, 90.0), (0.0, 0.0), (180.0, 90.0)],
            };
            assert_eq!(corners, expected.map(Point::from));
            // Neither one that fits as it is, nor one that does not fit at all.
            for (width, height) in [(200.0, 100.0), (100.0, 90.0), (250.0, 90.0), (101.0, 180.0)] {
                let placement = Placement::of_page(&profile, width, height).unwrap();
                assert_eq!(placement, Placement::new(&profile, height), "{width} x {height}");
            }
            profile.bed.turns_pages = false;
            assert_eq!(place(&profile), Placement::new(&profile, 180.0));
        }
        let mut plotter = Profile::built_in("hp7475a").unwrap();
        assert!(Placement::of_page(&plotter, 210.0, 297.0).unwrap().is_turned());
        plotter.bed.turns_pages = false;
        let on_a3 = Placement::of_page(&plotter, 210.0, 297.0).unwrap();
        assert!(!on_a3.is_turned() && on_a3.ps() == Some(0), "upright it needs a larger sheet");
    }

    #[test]
    fn one_profile_takes_a4_both_ways_and_a3() {
        let plotter = Profile::built_in("hp7475a").unwrap();
        let place = |width, height| Placement::of_page(&plotter, width, height).unwrap();
        // 0,0 is 10 mm from the left and 4 mm from the bottom of a landscape A4 sheet.
        assert!(near(place(297.0, 210.0).to_machine(Point::new(10.0, 206.0)), (0.0, 0.0)));
        assert!(near(place(297.0, 210.0).to_machine(Point::new(30.0, 106.0)), (20.0, 100.0)));
        // A portrait page has its top at the sheet's left and its left at the sheet's bottom.
        assert!(near(place(210.0, 297.0).to_machine(Point::new(4.0, 10.0)), (0.0, 0.0)));
        assert!(near(place(210.0, 297.0).to_machine(Point::new(104.0, 30.0)), (20.0, 100.0)));
        assert!(near(place(420.0, 297.0).to_machine(Point::new(15.0, 287.0)), (0.0, 0.0)));
        let reach = place(210.0, 297.0).reach(210.0);
        let unit = 0.02488;
        assert!((reach.y0 - 10.0).abs() < 1e-9 && (reach.x0 - 4.0).abs() < 1e-9, "{reach}");
        assert!((reach.y1 - 10.0 - 11_040.0 * unit).abs() < 1e-9, "{reach}");
    }

    #[test]
    fn a_small_page_lies_in_the_middle_of_the_first_sheet() {
        let plotter = Profile::built_in("hp7475a").unwrap();
        let placement = Placement::of_page(&plotter, 100.0, 80.0).unwrap();
        assert!(near(placement.to_machine(Point::new(50.0, 40.0)), (148.5 - 10.0, 105.0 - 4.0)));
        assert_eq!(placement.reach(100.0), Rect::new(0.0, 0.0, 100.0, 80.0));
    }

    #[test]
    fn a_page_turned_by_half_is_upright_for_the_operator() {
        let mut plotter = Profile::built_in("hp7440a").unwrap();
        let Firmware::Hpgl(hpgl) = &mut plotter.firmware else { panic!() };
        hpgl.papers[0].upside_down = true;
        let [right, up] = hpgl.papers[0].origin;
        let placement = Placement::of_page(&plotter, 297.0, 210.0).unwrap();
        assert!(near(placement.to_machine(Point::new(297.0, 0.0)), (-right, -up)));
    }

    #[test]
    fn a_page_that_no_sheet_holds_is_refused_with_those_there_are() {
        let small = Profile::built_in("hp7440a").unwrap();
        let error = Placement::of_page(&small, 420.0, 297.0).unwrap_err().to_string();
        assert!(
            error.contains("420 x 297 mm is too large for `hp7440a`") && error.contains("A4 (297 x 210 mm)")
        );
    }
}
