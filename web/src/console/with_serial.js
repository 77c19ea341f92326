// Shows a ticket's serial line. Loaded by those who use one.
import { words } from '../page/words.js';
import { COMBINATIONS, Line } from './serial.js';

/** @param {WebSocket} socket @param {HTMLElement} place @param {any} how */
export function show(socket, place, { machine, ticket, connected }) {
    const line = new Line(
        socket, place, { readOnly: ticket.read_only, label: `${machine}: ${words.kinds.serial}. ${words.leave}` },
    );
    socket.addEventListener('open', connected);
    return {
        keys: [...COMBINATIONS].map(([label, characters]) => ({ label, press: () => line.press(characters) })),
        focus: () => line.focus(),
        letGo: () => line.letGo(),
        paste: async (/** @type {string} */ text) => line.paste(text),
        close: () => line.close(),
    };
}
