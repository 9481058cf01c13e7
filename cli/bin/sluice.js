#!/usr/bin/env node
// A file of its own, in the repository: npm makes commands executable when it installs, before anything is built.
import '../dist/main.js';
