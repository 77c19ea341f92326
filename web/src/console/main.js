// The console of one machine, whose name is in the address: its screen or its serial line, and a bar of what to do with it.
import '../page/page.css';
import './console.css';
import '@xterm/xterm/css/xterm.css';

import { button, element } from '../page/elements.js';
import { words } from '../page/words.js';
import { keysMenu } from './keys_menu.js';
import { openLine, ticketFor } from './line.js';
import { pasteBox } from './paste.js';

/** @typedef {import('./line.js').Kind} Kind */

const MORE_TRIES = 5;
const BETWEEN_MS = 300;

const machine = decodeURIComponent(location.pathname.split('/').at(-1) ?? '');
const asked = new URLSearchParams(location.search).get('kind');
/** @type {Kind | null} */
const wanted = asked === 'vnc' || asked === 'serial' ? asked : null;

/** @type {any} what is shown now: a Screen or a Line */
let shown = null;
/** @type {WebSocket | null} */
let socket = null;
let fits = localStorage.getItem('onggi-fit') !== 'no';

const state = element('p', { role: 'status' }, words.connecting);
const badge = element('strong', { class: 'badge', title: words.readOnlyMeans, hidden: true }, words.readOnly);
const tools = element('div', { class: 'tools' });
const place = element('div', { class: 'place' });
const why = element('p', { id: 'why' });
const again = button(words.connect, () => start(false), { class: 'first' });
const takeOver = button(words.takeOver, () => start(true), { hidden: true });
const notice = element('div', { class: 'notice', role: 'group', 'aria-labelledby': 'why', hidden: true }, why, again, takeOver);

document.body.append(
    element(
        'header', {},
        element('h1', {}, element('bdi', {}, machine)), badge, state,
        element('div', { role: 'toolbar', 'aria-label': words.bar, class: 'bar' }, tools),
    ),
    element('main', {}, place, notice),
);
document.title = `${machine} – ${words.console}`;
window.addEventListener('keydown', leaveConsole, { capture: true });

/** @param {boolean} byForce whoever has the console now is sent away */
async function start(byForce) {
    say(words.connecting);
    notice.hidden = true;
    stop();
    try {
        const ticket = await patiently(() => ticketFor(machine, wanted, byForce));
        const { show } = await (ticket.kind === 'serial' ? import('./with_serial.js') : import('./with_screen.js'));
        document.title = `${machine} – ${words.kinds[ticket.kind]}`;
        badge.hidden = !ticket.read_only;
        const line = openLine(ticket, { opened: () => {}, ended: end });
        socket = line;
        let reason = '';
        shown = show(line, place, {
            machine, ticket, fits,
            connected() {
                say(words.connected);
                shown.focus();
            },
            failed: (/** @type {string} */ told) => { reason = told; },
        });
        arrange(ticket);

        /** @param {string} told */
        function end(told) {
            if (socket === line) stopped(reason || told);
        }
    } catch (problem) {
        if (problem.status === 401) logIn();
        else stopped(problem.message, problem.status === 409);
    }
}

/**
 * A page that was left a moment ago, such as this one before it was loaded anew, may still have the console.
 * @template T
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
async function patiently(ask) {
    for (let more = MORE_TRIES; ; more -= 1) {
        try {
            return await ask();
        } catch (problem) {
            if (problem.status !== 409 || !more) throw problem;
            await new Promise(resolve => setTimeout(resolve, BETWEEN_MS));
        }
    }
}

function stop() {
    const before = socket;
    socket = null;
    before?.close();
    shown?.close();
    shown = null;
    place.replaceChildren();
    tools.replaceChildren();
}

/** @param {string} told @param {boolean} [isTaken] */
function stopped(told, isTaken = false) {
    say(words.disconnected);
    for (const each of tools.querySelectorAll('button')) each.disabled = true;
    why.textContent = told;
    takeOver.hidden = !isTaken;
    notice.hidden = false;
    (isTaken ? takeOver : again).focus();
}

function logIn() {
    location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** @param {string} told */
function say(told) {
    state.textContent = told;
}

/** @param {import('./line.js').Ticket} ticket */
function arrange(ticket) {
    const isScreen = ticket.kind === 'vnc';
    const parts = [];
    if (!ticket.read_only) {
        parts.push(keysMenu(shown.keys.map(each => ({ label: each.label, press: () => { each.press(); shown.focus(); } }))));
        const box = pasteBox(isScreen, async (text, strokes) => {
            await shown.paste(text, strokes, (/** @type {number} */ done) => {
                say(words.typing(done, strokes.length));
                return socket !== null && socket.readyState === WebSocket.OPEN;
            });
            if (socket?.readyState === WebSocket.OPEN) say(words.connected);
            shown?.focus();
        });
        parts.push(button(words.paste, () => box.showModal()), box);
    }
    if (isScreen) parts.push(button(words.fit, toggleFit, { 'aria-pressed': String(fits) }));
    parts.push(button(words.fullScreen, toggleFullScreen));
    const other = isScreen ? 'serial' : 'vnc';
    parts.push(element('a', { href: `?kind=${other}` }, words.other[other]));
    parts.push(element('small', {}, words.leave));
    tools.replaceChildren(...parts);
}

/** @param {Event} event */
function toggleFit(event) {
    fits = !fits;
    localStorage.setItem('onggi-fit', fits ? 'yes' : 'no');
    /** @type {HTMLElement} */ (event.currentTarget).setAttribute('aria-pressed', String(fits));
    shown?.fit(fits);
}

async function toggleFullScreen() {
    if (document.fullscreenElement) {
        await document.exitFullscreen();
        return;
    }
    await document.documentElement.requestFullscreen();
    await /** @type {any} */ (navigator).keyboard?.lock?.().catch(() => {}); // Chromium: the system's keys are the guest's, too
    shown?.focus();
}

/** @param {KeyboardEvent} event */
function leaveConsole(event) {
    if (event.key !== 'Home' || !event.ctrlKey || !event.altKey || !place.contains(document.activeElement)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    shown?.letGo();
    /** @type {HTMLElement | null} */ (tools.querySelector('summary, button, a'))?.focus();
}

start(false);
