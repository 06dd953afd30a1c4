//! Somebody, or something, follows a plot without a screen.

use serde_json::Value;

use crate::support::Bench;

const TWO_PENS: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="100mm" viewBox="0 0 100 100">
  <path d="M10 10h80M10 30h80M10 50h80" stroke="#c02030" fill="none"/>
  <path d="M10 20h80M10 40h80" stroke="#101010" fill="none"/>
</svg>"##;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("in.svg", TWO_PENS);
    bench
}

fn names(events: &[Value]) -> Vec<&str> {
    let of = events.iter().map(|event| event["event"].as_str().unwrap());
    of.filter(|name| !["completed", "progress"].contains(name)).collect()
}

#[test]
fn events_tell_a_plot_from_check_to_end() {
    for machine in ["grbl-servo", "axidraw-v3", "hp7475a"] {
        let ran = bench().run(&format!("plot in.svg -m {machine} --port sim --json"));
        let lines = ran.done().stdout.lines();
        let events: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            names(&events),
            ["connected", "checked", "pass", "pass_done", "pass", "pass_done", "done"],
            "{machine}"
        );
        let percents: Vec<u64> = events.iter().filter_map(|event| event["percent"].as_u64()).collect();
        assert!(
            percents.len() > 3 && percents.windows(2).all(|pair| pair[0] < pair[1]),
            "{machine}: {percents:?}"
        );
        assert_eq!(percents.last(), Some(&100), "{machine}");
        let drawn = events.iter().filter(|event| event["event"] == "completed" && event["stroke"] == 3);
        assert!(drawn.count() > 0, "{machine}: the third stroke is told of");
    }
}

#[test]
fn without_a_screen_there_are_lines_and_no_escapes() {
    let ran = bench().run("plot in.svg --port sim");
    let text = &ran.done().stderr;
    assert!(
        text.contains("pass 1 of 2: ") && text.contains("pass 2 of 2: ") && text.contains("done: 2 passes, "),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "{text:?}");
    assert_eq!(bench().run("plot in.svg --port sim -q").done().stderr, "");
}

#[cfg(unix)]
#[test]
fn a_command_hears_what_a_phone_would_ring_for() {
    let bench = bench();
    bench.file("hook.sh", "echo \"$TRACEUR_EVENT $TRACEUR_PASS\" >> heard; exit 1\n");
    let ran = bench.start("plot in.svg --port sim --on-event ./hook.sh", &[], b"");
    // The file is not executable: the plot goes on, and says so once.
    assert_eq!(ran.done().stderr.matches("--on-event").count(), 1, "{}", ran.stderr);
    let permit = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    bench.file("hook", "#!/bin/sh\necho \"$TRACEUR_EVENT $TRACEUR_PASS\" >> heard\n");
    std::fs::set_permissions(bench.path("hook"), permit).unwrap();
    bench.run("plot in.svg --port sim --on-event ./hook").done();
    let heard = std::fs::read_to_string(bench.path("heard")).unwrap();
    let mut lines: Vec<&str> = heard.lines().map(str::trim).collect();
    // They run side by side.
    lines.sort_unstable();
    assert_eq!(lines, ["checked", "connected", "done", "pass 1", "pass 2", "pass_done 1", "pass_done 2"]);
}
