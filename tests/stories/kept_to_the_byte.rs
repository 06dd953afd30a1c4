//! What a job keeps is what it began with, to the byte; its journal is read right wherever it was cut.

use super::killed_and_resumed::Bench;
use traceur_core::machine::Placement;
use traceur_job::journal::{self, Entry, Past};
use traceur_job::{Place, Stored};
use traceur_protocol::encode;

/// The programs that `resume` streams from the job's begin.
fn programs(stored: &Stored) -> Vec<String> {
    let case = stored.case().unwrap();
    let profile = case.profile().unwrap();
    let page = case.toolpath.page;
    let placement = Placement::of_page(&profile, page.width, page.height).unwrap();
    let passes = case.toolpath.passes.iter().enumerate();
    passes.map(|(index, pass)| encode(index, pass, &profile, &placement).to_text()).collect()
}

/// The programs in a folder, by pass.
fn exported(bench: &Bench, folder: &str) -> Vec<String> {
    let mut paths: Vec<_> =
        std::fs::read_dir(bench.path(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn whatever_was_asked_for_is_kept_to_the_byte() {
    for (machine, pages) in [
        ("grbl-servo", ["--page A3", "--fit --no-rotate", "--rotate 90deg --align bottom-right"]),
        ("axidraw-v3", ["--no-rotate", "--page A5", "--order keep --simplify 0.1mm"]),
        (
            "hp7475a",
            ["--page A4", "--page A4 --no-rotate --scale 0.5", "--split-mm 200mm --split-overlap 2mm"],
        ),
    ] {
        for (index, options) in pages.into_iter().enumerate() {
            let bench = Bench::new(machine);
            let (code, said) =
                bench.run(&format!("export drawing.svg -m {machine} {options} -o programs -q"));
            assert_eq!(code, 0, "{machine} {options}: {said}");
            // As fast as it can is done before anything could happen to it, and keeps no journal.
            let (code, said) =
                bench.run(&format!("plot drawing.svg -m {machine} {options} --port sim@10000 --yes -q"));
            assert_eq!(code, 0, "{machine} {options}: {said}");
            let kept = programs(&bench.store().find("1").unwrap());
            assert_eq!(kept, exported(&bench, "programs"), "{machine} {options} {index}");
        }
    }
}

#[test]
fn the_same_job_plotted_twice_moves_the_same() {
    for machine in ["grbl-servo", "axidraw-v3", "hp7475a"] {
        let bench = Bench::new(machine);
        let mut drawn = Vec::new();
        for _ in 0..2 {
            let sim = bench.plotter("");
            let (code, said) = bench.run(&format!("plot drawing.svg -m {machine} --port port --yes -q"));
            assert_eq!(code, 0, "{machine}: {said}");
            bench.switch_off(sim);
            drawn.push(bench.ink());
        }
        assert!(!drawn[0].is_empty() && drawn[0] == drawn[1], "{machine}");
        let kept = ["1", "2"].map(|job| programs(&bench.store().find(job).unwrap()));
        assert_eq!(kept[0], kept[1], "{machine}");
    }
}

#[test]
fn the_journal_of_a_plot_is_read_right_wherever_it_is_cut() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("");
    let (code, said) = bench.run("plot drawing.svg -m grbl-servo --port port --yes -q");
    assert_eq!(code, 0, "{said}");
    let path = bench.store().find("1").unwrap().journal();
    let whole = std::fs::read(&path).unwrap();
    let (records, sound) = journal::parse("journal", &whole).unwrap();
    assert!(sound == whole.len() as u64 && records.len() > 36 && Past::of(&records).end == Some(Entry::Done));
    let mut before = Place::default();
    for cut in 0..=whole.len() {
        let (read, sound) = journal::parse("journal", &whole[..cut]).unwrap();
        let newlines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!((read.len(), read.as_slice()), (newlines, &records[..newlines]), "cut at {cut}");
        assert!(sound <= cut as u64);
        let past = Past::of(&read);
        assert!(past.drawn >= before, "cut at {cut}");
        before = past.drawn;
        assert_eq!(past.end.is_some(), cut == whole.len(), "cut at {cut}");
    }
    // And the job goes on from such a journal.
    std::fs::write(&path, &whole[..whole.len() * 2 / 3 + 7]).unwrap();
    let (code, said) = bench.run("resume 1 --yes --zeroed");
    assert!(code == 0 && said.contains("strokes are on the paper"), "{code} {said}");
    assert_eq!(bench.store().find("1").unwrap().past().unwrap().end, Some(Entry::Done));
    bench.switch_off(sim);
}
