//! By hand on the virtual plotters.

use super::*;
use traceur_core::machine::Firmware;

async fn at(id: &str) -> Hand {
    let profile = Profile::built_in(id).unwrap();
    Hand::open(&profile, &Port::Sim { pace: None }).await.unwrap()
}

async fn place(hand: &mut Hand) -> [f64; 2] {
    hand.standing().await.unwrap().position.unwrap().map(|mm| (mm * 10.0).round() / 10.0)
}

#[tokio::test]
async fn a_jog_moves_and_the_machine_tells_where_it_is() {
    for id in ["grbl-servo", "grbl-z", "axidraw-v3", "hp7475a", "dxy-1150"] {
        let mut hand = at(id).await;
        let begin = place(&mut hand).await;
        hand.jog([20.0, 10.0]).await.unwrap();
        hand.jog([-5.0, 2.5]).await.unwrap();
        let end = place(&mut hand).await;
        assert_eq!([end[0] - begin[0], end[1] - begin[1]], [15.0, 12.5], "{id}");
    }
}

#[tokio::test]
async fn the_pen_goes_up_and_down() {
    for id in ["grbl-servo", "grbl-z", "axidraw-v3", "hp7475a"] {
        let mut hand = at(id).await;
        for (height, down) in [(Height::Down, true), (Height::Up, false)] {
            hand.pen(height).await.unwrap();
            assert_eq!(hand.standing().await.unwrap().pen_down, Some(down), "{id}");
        }
    }
    let mut plotter = at("hp7475a").await;
    plotter.jog([12.0, -5.0]).await.unwrap();
    assert_eq!(place(&mut plotter).await, [12.0, 0.0], "it stays within its reach");
    let error = plotter.pen(Height::At(50.0)).await.unwrap_err().to_string();
    assert!(error.contains("no height between"), "{error}");
}

#[tokio::test]
async fn zero_is_here_and_home_leads_back() {
    for id in ["grbl-servo", "axidraw-v3"] {
        let mut hand = at(id).await;
        hand.jog([30.0, 20.0]).await.unwrap();
        hand.zero().await.unwrap();
        assert_eq!(place(&mut hand).await, [0.0, 0.0], "{id}");
        hand.jog([5.0, 5.0]).await.unwrap();
        hand.home().await.unwrap();
        assert_eq!(place(&mut hand).await, [0.0, 0.0], "{id}");
    }
    let mut plotter = at("hp7475a").await;
    assert!(plotter.zero().await.unwrap_err().to_string().contains("nothing to set"));
    plotter.jog([50.0, 50.0]).await.unwrap();
    plotter.home().await.unwrap();
    assert_eq!(place(&mut plotter).await, [0.0, 0.0]);
}

#[tokio::test]
async fn a_board_that_has_just_started_does_not_know_its_home() {
    let error = at("grbl-servo").await.home().await.unwrap_err().to_string();
    assert!(error.contains("device zero") && error.contains("homing = true"), "{error}");
    let mut profile = Profile::built_in("grbl-servo").unwrap();
    let Firmware::Grbl(table) = &mut profile.firmware else { panic!("{profile:?}") };
    table.homing = true;
    let mut hand = Hand::open(&profile, &Port::Sim { pace: None }).await.unwrap();
    assert!(hand.jog([1.0, 1.0]).await.unwrap_err().to_string().contains("locked"));
    assert_eq!(hand.standing().await.unwrap().state, "Alarm");
    hand.home().await.unwrap();
    assert_eq!(hand.standing().await.unwrap().state, "Idle");
}

/// A FluidNC of two axes, as it answers what is asked of it by hand.
async fn two_axes(mut link: Link) {
    link.send(b"Grbl 3.7 [FluidNC v3.7.8 (wifi) '$' for help]\r\n".to_vec()).unwrap();
    let mut line = Vec::new();
    while let Ok(bytes) = link.receive().await {
        for byte in bytes {
            let answer: &[u8] = match (byte, line.as_slice()) {
                (b'?', _) => b"<Idle|MPos:12.500,-3.000|FS:0,0>\r\n",
                (b'\n', b"$#") => b"[G54:2.500,1.000]\r\n[G92:0.000,0.000]\r\nok\r\n",
                (b'\n', _) => b"ok\r\n",
                _ => {
                    line.push(byte);
                    continue;
                }
            };
            line.clear();
            link.send(answer.to_vec()).unwrap();
        }
    }
}

#[tokio::test]
async fn a_board_of_two_axes_tells_where_it_is() {
    let (ours, theirs) = Link::pair();
    tokio::spawn(two_axes(theirs));
    let mut hand = Hand::over(ours, &Profile::built_in("grbl-servo").unwrap()).await.unwrap();
    assert_eq!(place(&mut hand).await, [10.0, -4.0]);
}
