// Sees to it that no server outlives the process that started it, however that ended: process.exit, a crash, kill -9.
// An 'exit' listener would miss the last, so a small shell waits on a pipe instead, which the system closes for us;
// then it stops the server at once and removes its folder. It never touches a process but the one that the pid file
// in its own folder names, and those that work in that folder: frozen ones must go on in order to end.
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

const script = `
  if read -r _; then exit 0; fi
  pid=$(head -n 1 "$1/$2" 2>/dev/null)
  # initdb's own backend writes a negative number there, which kill would take for a process group
  case $pid in
    '' | *[!0-9]*) ;;
    *)
      kill -QUIT "$pid" && for one in /proc/[0-9]*; do
        case $(readlink "$one/cwd") in "$1/data"*) kill -CONT "\${one#/proc/}" ;; esac
      done
      kill -0 "$pid" && for _ in $(seq 50); do
        kill -0 "$pid" || break
        sleep 0.1
      done
      kill -KILL "$pid"
      ;;
  esac
  rm -rf "$1" || { sleep 1; rm -rf "$1"; }
`;

/**
 * Guards the server in `folder`, whose process id is in `pidFile` there: PostgreSQL's unless given. The result ends the
 * guard; call it after a proper stop.
 */
export function startWatchdog(folder: string, pidFile = 'data/postmaster.pid'): () => void {
  const shell = spawn('/bin/sh', ['-c', script, 'mytx-watchdog', folder, pidFile], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // its own session: Ctrl-C and a killed process group must not reach it
  });
  shell.unref();
  (shell.stdin as Socket).unref();
  shell.on('error', () => {}); // without a shell there is no guard; stop() works all the same
  shell.stdin.on('error', () => {});
  return () => shell.stdin.end('stopped\n');
}
