"use strict";
// What a person may do. Whoever may only look sees none of it.

const rolloutActs = () => null;
const policyActs = () => null;
const vmActs = () => null;
const steer = () => null;
