// All that the pages say by themselves; what the agent says is shown as it says it.
export const words = {
    unreachable: 'The agent doesn’t answer.',

    login: 'Log in',
    username: 'User name',
    password: 'Password',
    loggingIn: 'Logging in …',

    console: 'Console',
    kinds: { vnc: 'screen', serial: 'serial console' },
    other: { vnc: 'Screen', serial: 'Serial console' },
    connecting: 'Connecting …',
    connected: 'Connected',
    disconnected: 'Not connected',
    readOnly: 'Read-only',
    readOnlyMeans: 'You see what happens, and nothing that you type arrives.',
    connect: 'Connect again',
    takeOver: 'Take over',
    none: 'The machine has no console that a browser can show, or doesn’t run.',
    ended: 'The console has ended.',
    lost: 'The connection to the agent was lost.',
    neverOpened: 'The agent didn’t open the console: it can’t be reached, or the ticket has run out.',
    refusedByScreen: 'The machine’s screen refused the connection:',
    asksForPassword: 'The machine’s screen asks for a password that the agent doesn’t know.',

    bar: 'What to do with the console',
    keys: 'Keys',
    paste: 'Paste …',
    fit: 'Fit to window',
    fullScreen: 'Full screen',
    leave: 'Ctrl+Alt+Home leaves the console for this bar.',

    pasteTitle: 'Paste text',
    text: 'Text',
    pasteAsKeys: 'It is typed key by key, as the keyboard layout has it that the guest has set.',
    layout: 'Keyboard layout of the guest',
    type: 'Type it',
    cancel: 'Cancel',
    /** @param {string} characters @param {string} layout */
    untypeable: (characters, layout) => `The layout ${layout} has no key for: ${characters}`,
    /** @param {number} done @param {number} all */
    typing: (done, all) => `Typing ${done} of ${all} …`,
};
