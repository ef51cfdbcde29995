# Sourced by scripts/test: a private PostgreSQL cluster that lives as long as the script. Needs machine.sh.
# `postgres_start` sets POSTGRES_URL; POSTGRES_EXTRA may hold more lines for its settings; `postgres_stop` may be called at any time, also before a start, and twice.

postgres_folder=

# PostgreSQL refuses to run as root: there it runs as the user that Debian's package makes.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

postgres_start() {
    postgres_folder=$(mktemp -d "${TMPDIR:-/tmp}/usher-postgres.XXXXXX")
    if [ "$(id -u)" = 0 ]; then
        chown postgres: "$postgres_folder"
    fi
    cd "$postgres_folder" || return # the server's user may not be allowed into the folder this was called from
    as_postgres "$PG_BIN/initdb" --pgdata "$postgres_folder/data" --auth trust --username postgres --encoding UTF8 \
        --locale C.UTF-8 >"$postgres_folder/initdb.log" 2>&1 || { cat "$postgres_folder/initdb.log" >&2; die "initdb failed"; }
    postgres_settings | as_postgres tee -a "$postgres_folder/data/postgresql.conf" >/dev/null
    postgres_listen
    cd - >/dev/null || return
}

# Durable as in production, small as for a test: templates are cloned often, so checkpoints must be cheap.
postgres_settings() {
    cat <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$postgres_folder'
max_connections = 300
shared_buffers = 64MB
fsync = on
synchronous_commit = on
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
min_wal_size = 32MB
timezone = 'UTC'
${POSTGRES_EXTRA:-}
CONF
}

# The server itself finds out whether a port is free; below 32768 no outgoing connection can take it meanwhile.
postgres_listen() {
    local port try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if as_postgres "$PG_BIN/pg_ctl" --pgdata "$postgres_folder/data" --log "$postgres_folder/server.log" --silent --wait \
            --options "-p $port" start >/dev/null 2>&1; then
            POSTGRES_URL="postgresql://postgres@127.0.0.1:$port/postgres"
            return
        fi
        grep -q 'Address already in use' "$postgres_folder/server.log" || break
    done
    tail -n 20 "$postgres_folder/server.log" >&2
    die "PostgreSQL did not start (try $try)"
}

postgres_stop() {
    [ -n "$postgres_folder" ] || return 0
    cd / || return
    if [ -f "$postgres_folder/data/postmaster.pid" ]; then
        as_postgres "$PG_BIN/pg_ctl" --pgdata "$postgres_folder/data" --mode immediate --silent --wait stop >/dev/null 2>&1 || true
    fi
    rm -rf "$postgres_folder"
    postgres_folder=
}
