// A machine's serial console, by xterm.js. What a guest sends is shown; its links and titles do nothing.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';

import { styleByScript } from './styles_by_script.js';

// What a browser or its system keeps for itself.
export const COMBINATIONS = new Map([
    ['Ctrl+C', '\x03'], ['Ctrl+D', '\x04'], ['Ctrl+N', '\x0e'], ['Ctrl+T', '\x14'], ['Ctrl+W', '\x17'], ['Ctrl+Z', '\x1a'],
    ['Ctrl+\\', '\x1c'], ['Ctrl+]', '\x1d'], ['Escape', '\x1b'], ['Tab', '\t'],
]);

styleByScript();

export class Line {
    /**
     * @param {WebSocket} socket
     * @param {HTMLElement} place
     * @param {{ readOnly: boolean, label: string }} how
     */
    constructor(socket, place, how) {
        this.socket = socket;
        this.terminal = new Terminal({
            disableStdin: how.readOnly,
            cursorBlink: false,
            fontFamily: 'ui-monospace, "DejaVu Sans Mono", monospace',
            scrollback: 10000,
            linkHandler: { activate() {} },
            theme: { background: '#101113', foreground: '#e4e5e7' },
        });
        const fit = new FitAddon();
        this.terminal.loadAddon(fit);
        this.terminal.open(place);
        this.terminal.textarea?.setAttribute('aria-label', how.label);
        this.sizes = new ResizeObserver(() => fit.fit());
        this.sizes.observe(place);
        const encoder = new TextEncoder();
        this.terminal.onData(text => this.send(encoder.encode(text)));
        this.terminal.onBinary(text => this.send(Uint8Array.from(text, each => each.charCodeAt(0))));
        socket.addEventListener('message', event => this.terminal.write(new Uint8Array(event.data)));
        socket.addEventListener('close', () => {
            this.terminal.options.disableStdin = true;
        });
    }

    /** @param {Uint8Array<ArrayBuffer>} bytes */
    send(bytes) {
        if (this.socket.readyState === WebSocket.OPEN) this.socket.send(bytes);
    }

    focus() {
        this.terminal.focus();
    }

    letGo() {
        this.terminal.blur();
    }

    /** @param {string} characters */
    press(characters) {
        this.terminal.input(characters);
    }

    /** @param {string} text */
    paste(text) {
        this.terminal.paste(text);
    }

    close() {
        this.sizes.disconnect();
        this.terminal.dispose();
    }
}
