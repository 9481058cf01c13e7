import { Standby } from './cluster/standby.js';
import { engineNodeArguments } from './cluster/young-generation.js';

// The `engine` program. Its first process is started before the primary is even loaded.
const nodeArguments = engineNodeArguments(process.execArgv, process.env.NODE_OPTIONS);
const standby = new Standby(nodeArguments);
const { runProgram } = await import('./program.js');
runProgram({ environment: process.env, nodeArguments, standby });
