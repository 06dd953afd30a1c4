//! A three-pen drawing over a late and chopped line to each kind of plotter leaves the ink that was asked for.

use traceur_core::drawing::Page;
use traceur_core::drawing::scene::{Matching, Stages};
use traceur_core::drawing::svg;
use traceur_core::geometry::Polyline;
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::{Inventory, Pen};
use traceur_core::toolpath::{Options, Toolpath, plan};
use traceur_job::{Connection, Controls, News, Operator, PenChange, Place, Work};
use traceur_protocol::Event;
use traceur_sim::ink::Paper;

const MACHINES: [&str; 5] = ["grbl-servo", "grbl-z", "axidraw-v3", "hp7475a", "hp7440a"];

const DRAWING: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="120mm" height="90mm" viewBox="0 0 120 90">
<g fill="none" stroke-width="0.5">
<path stroke="#191919" d="M15 15 H100 M15 17 C40 70 80 -20 100 60 M60 50 v0"/>
<path stroke="#cd192d" d="M20 70 L40 30 L60 70 Z M22 68 L40 33"/>
<circle stroke="#1e50b4" cx="80" cy="50" r="22"/><circle stroke="#1e50b4" cx="80" cy="50" r="4"/>
</g></svg>"##;

fn toolpath(profile: &Profile) -> Toolpath {
    let pens = Inventory::built_in("fineliner-12").unwrap().pens;
    let matching = Matching { pens: &pens, ..Matching::default() };
    let scene = svg::read("drawing.svg", DRAWING.as_bytes()).unwrap().scene;
    let drawing = scene.draw(&Stages { matching, ..Stages::default() }).unwrap().drawing;
    plan(&drawing, &Options::new(place(profile, &drawing.page).reach(drawing.page.width))).0
}

fn place(profile: &Profile, page: &Page) -> Placement {
    Placement::of_page(profile, page.width, page.height).unwrap()
}

/// Changes the pens, and keeps the last word of the plotter.
#[derive(Default)]
struct Alone {
    last: String,
}

impl Operator for Alone {
    fn hear(&mut self, news: &News<'_>) {
        if let News::Session { event, .. } = news
            && !matches!(event, Event::Status(_))
        {
            self.last = format!("{event:?}");
        }
    }

    async fn change_pen(&mut self, _: usize) -> PenChange {
        PenChange::Done
    }
}

/// Plots all passes; gives the marks of each pen, in page space, or the last event where it did not end well.
async fn plot(
    toolpath: &Toolpath,
    profile: &Profile,
    faults: &str,
) -> Result<Vec<(Pen, Vec<Polyline>)>, String> {
    let placement = place(profile, &toolpath.page);
    let work = Work {
        toolpath,
        profile,
        placement: &placement,
        from: Place::default(),
        overlap: 0.0,
        mark: None,
        returns: false,
        dry: false,
    };
    let mut connection = Connection::simulated(profile, &faults.parse().unwrap(), None);
    let mut alone = Alone::default();
    let outcome = traceur_job::plot(&work, &mut connection, &mut Controls::none(), &mut alone).await;
    let outcome = outcome.map_err(|error| error.to_string())?;
    if !outcome.finished() {
        return Err(alone.last);
    }
    let to_page = |line: Polyline| line.map(|point| placement.to_page(point));
    let passes = outcome.traces.iter().map(|(pass, trace)| {
        (toolpath.passes[*pass].pen.clone(), trace.strokes().into_iter().map(to_page).collect())
    });
    Ok(passes.collect())
}

fn paper(toolpath: &Toolpath, passes: &[(Pen, Vec<Polyline>)]) -> Paper {
    let mut paper = Paper::white(toolpath.page.width, toolpath.page.height, 100.0);
    passes.iter().for_each(|(pen, strokes)| paper.lay(strokes, pen.tip, &pen.ink()));
    paper
}

/// Share of pixels of which any channel differs by more than a quarter of full light.
fn different(a: &Paper, b: &Paper) -> f64 {
    let differs =
        |pair: &(&[f32; 3], &[f32; 3])| pair.0.iter().zip(pair.1).any(|(a, b)| (a - b).abs() > 0.25);
    a.light.iter().zip(&b.light).filter(differs).count() as f64 / a.light.len() as f64
}

#[tokio::test]
async fn the_ink_is_what_was_asked_for() {
    for machine in MACHINES {
        let profile = Profile::built_in(machine).unwrap();
        let toolpath = toolpath(&profile);
        assert_eq!(toolpath.passes.len(), 3, "{machine}");
        let asked: Vec<_> =
            toolpath.passes.iter().map(|pass| (pass.pen.clone(), pass.strokes.clone())).collect();
        let asked = paper(&toolpath, &asked);
        let plotted = plot(&toolpath, &profile, "latency=15ms,chop=3,seed=5").await.unwrap();
        let inked = paper(&toolpath, &plotted);
        assert!(different(&asked, &inked) < 0.001, "{machine}: {}", different(&asked, &inked));
        // The comparison can fail: without one stroke it does.
        let mut less = plotted;
        less[2].1.pop();
        assert!(different(&asked, &paper(&toolpath, &less)) > 0.001, "{machine}");
    }
}

#[tokio::test]
async fn a_line_that_loses_bytes_and_a_pulled_cable_end_the_job() {
    for machine in MACHINES {
        let profile = Profile::built_in(machine).unwrap();
        let toolpath = toolpath(&profile);
        for seed in 0..8 {
            // It may draw what the harmed bytes say, or stop; it ends.
            drop(plot(&toolpath, &profile, &format!("drop=0.004,flip=0.004,seed={seed}")).await);
        }
        let pulled = plot(&toolpath, &profile, "unplug=2s").await.err().unwrap();
        assert!(pulled.contains("the cable was pulled"), "{machine}: {pulled}");
        let restarted = plot(&toolpath, &profile, "power-loss=2s").await.err().unwrap();
        assert!(restarted.contains("Fault"), "{machine}: {restarted}");
    }
}
