// The line to a machine's console: the agent's ticket, the WebSocket that it opens, and why that ended.
import { post, Refused } from '../page/requests.js';
import { words } from '../page/words.js';

/** @typedef {'vnc' | 'serial'} Kind */
/** @typedef {{ kind: Kind, url: string, read_only: boolean, password?: string }} Ticket */

/**
 * @param {string} machine
 * @param {Kind | null} kind null: what the machine has
 * @param {boolean} takeOver
 * @returns {Promise<Ticket>}
 */
export async function ticketFor(machine, kind, takeOver) {
    const body = { take_over: takeOver, ...(kind && { kind }) };
    const ticket = (await post(`/vms/${encodeURIComponent(machine)}/connect`, body)).console;
    if (!ticket) throw new Refused(0, words.none);
    return ticket;
}

/**
 * @param {Ticket} ticket
 * @param {{ opened: () => void, ended: (why: string) => void }} told
 * @returns {WebSocket}
 */
export function openLine(ticket, told) {
    const address = new URL(ticket.url, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address, ['binary']);
    socket.binaryType = 'arraybuffer';
    let opened = false;
    socket.addEventListener('open', () => {
        opened = true;
        told.opened();
    });
    socket.addEventListener('close', event => told.ended(event.reason || whyEnded(event, opened)));
    return socket;
}

/** @param {CloseEvent} event @param {boolean} opened */
function whyEnded(event, opened) {
    if (!opened) return words.neverOpened;
    return event.code === 1000 || event.code === 1005 ? words.ended : words.lost;
}
