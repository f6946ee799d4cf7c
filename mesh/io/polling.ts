/** HTTP long polling for socket.io, in a module of its own so that only who needs it loads it. */
export { Fetch } from 'engine.io-client';
